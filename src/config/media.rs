//! Settings of where the files lie.

/// Where the files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// In the data folder.
    Folder,
    /// In an S3-compatible store.
    Bucket(Bucket),
}

/// A place in an S3-compatible store.
#[derive(Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket.
    pub name: String,
    /// What the keys begin with; no slash at its end; may be empty.
    pub prefix: String,
    /// Endpoint, region, credentials and the like, under their usual names (`aws_region`), in lower case.
    pub options: Vec<(String, String)>,
    /// Whether readers are sent to the bucket, instead of getting its files through this server.
    pub redirect: bool,
}

/// The options hold secrets.
impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.name, self.prefix)
    }
}

/// Reads the two settings; the error is one line that names the wrong one.
pub(super) fn read(url: Option<&str>, delivery: &str) -> Result<Media, String> {
    let redirect = match delivery {
        "stream" => false,
        "redirect" => true,
        other => {
            return Err(format!(
                "BROADSHEET_MEDIA_DELIVERY {other:?}: it wants stream or redirect"
            ));
        }
    };
    let Some(url) = url.filter(|url| !url.is_empty()) else {
        return Ok(Media::Folder);
    };
    let wrong = || format!("BROADSHEET_MEDIA_URL {url:?}: it wants s3://BUCKET or s3://BUCKET/PREFIX");
    let (name, prefix) = url
        .strip_prefix("s3://")
        .map(|place| place.split_once('/').unwrap_or((place, "")))
        .ok_or_else(wrong)?;
    let prefix = prefix.trim_matches('/');
    let plain = |text: &str, others: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.') || others.contains(c))
    };
    let parts_named = prefix.is_empty() || prefix.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if name.is_empty() || !plain(name, "") || !plain(prefix, "/_") || !parts_named {
        return Err(wrong());
    }
    // What is no text is none of these.
    let options = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty())
        .map(|(name, value)| (name.to_ascii_lowercase(), value));
    Ok(Media::Bucket(Bucket {
        name: name.to_owned(),
        prefix: prefix.to_owned(),
        options: options.collect(),
        redirect,
    }))
}
