//! HTTP of the files: the address of each variant, and the uploaded file for editors.

use std::ops::Range;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE, VARY,
};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, get, web};
use futures_util::StreamExt;

use super::accept::negotiate;
use super::files::Files;
use super::model::ImageRow;
use super::pipeline::VERSION;
use super::storage::{ORIGINAL, Opened, is_hash};
use super::store;
use super::variants::{Focus, Format, Size, Variant};
use crate::auth::Editor;
use crate::db::Db;
use crate::error::{Code, Error, Result};
use crate::web::conditional::none_match;
use crate::web::envelope::OfHead;
use crate::web::{FromPairs, Pairs, Query};

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const NEVER: &str = "private, no-store";

/// How long the way to a bucket may be remembered, and how long it is open: longer, for a slow reader.
const WAY: Duration = Duration::from_secs(3600);
const WAY_OPEN: Duration = Duration::from_secs(2 * 3600);

/// The same where the credentials that sign it end by themselves: what a session has left is not known, but that it is
/// renewed some minutes before its end.
const SHORT_WAY: Duration = Duration::from_secs(60);
const SHORT_WAY_OPEN: Duration = Duration::from_secs(240);

/// What the query says.
pub struct Cut {
    focal: Option<Focus>,
}

impl FromPairs for Cut {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self {
            focal: pairs.parsed("focal", "a focal point such as 900-100, in thousandths,", Focus::parse),
        }
    }
}

/// Load a file of an image.
///
/// Open to everyone who has the address, of a draft as well; `original`, the uploaded file, is for editors (401,
/// 403). `w320`, `w640`, `w960`, `w1280` or `w1920`, never larger than the original; `thumb` (320 × 320), `card`
/// (640 × 360) or `share` (1200 × 630), cut around the focal point that the address names; with `.webp`, `.avif`,
/// `.jpg` or `.png`, or without an ending by `Accept`, which gets AVIF once that has been made. `.webp` of an
/// animation moves, the others show its first frame. `.jpg` of a transparent picture stands on white.
///
/// Costs a decoding when it is first asked for, an AVIF by name some seconds; it is kept for ever under this
/// address. 404 where there is no such image or variant; 503 with `Retry-After` where too many are in the making,
/// or after 20 seconds of waiting.
#[utoipa::path(
    tag = "images",
    operation_id = "get_media",
    params(
        ("hash" = String, Path, description = "The image's hash.", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", pattern = "^[0-9a-f]{64}$"),
        ("variant" = String, Path, description = "The variant's name.", example = "w960.webp"),
        ("focal" = Option<String>, Query, description = "Of a crop: the focal point that the address stands for, in thousandths, as the image's `variants` name it. Without one it stands for the middle.", example = "900-100", pattern = "^(0|[1-9][0-9]{0,2}|1000)-(0|[1-9][0-9]{0,2}|1000)$"),
    ),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "The file.", content((String = "image/webp"), (String = "image/avif"), (String = "image/jpeg"), (String = "image/png"), (String = "application/octet-stream"))),
        (status = 206, description = "The part of it that `Range` asks for."),
        (status = 302, description = "It lies there, at the store of the files.", headers(("Location" = String, description = "Where."))),
        (status = 304, description = "It is what `If-None-Match` names."),
        (status = 307, description = "The crop of the present focal point; the one that was asked for was never made.", headers(("Location" = String, description = "Where, relative to the origin."))),
        (status = 403, description = "`original`, without the right to it."),
        (status = 422, description = "`invalid_field`: the uploaded file is damaged, so that nothing can be made of it."),
    ),
)]
#[get("/{hash}/{variant}")]
pub async fn get_media(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    query: Query<Cut>,
    db: web::Data<Db>,
    files: web::Data<Files>,
) -> Result<HttpResponse> {
    let ((hash, name), Query(Cut { focal })) = (path.into_inner(), query);
    if !is_hash(&hash) {
        return Err(Error::not_found());
    }
    if name == ORIGINAL && focal.is_none() {
        return original(&request, &files, &hash).await;
    }
    let named = Variant::parse(&name);
    let size = named.map(|variant| variant.size).or_else(|| Size::parse(&name));
    let size = size.ok_or_else(Error::not_found)?;
    if focal.is_some() && !size.is_crop() {
        return Err(Error::at_parameter(Code::UnknownParameter, "focal", "for crops alone"));
    }
    let media = Media {
        db: &db,
        files: &files,
        hash: &hash,
    };
    let focus = focal.and_then(Focus::named);
    let (variant, vary) = match named {
        Some(variant) => (Variant { focus, ..variant }, None),
        None => (media.accepted(&request, size, focus).await?, Some("Accept")),
    };
    // Whoever is sent to the bucket reads it there.
    let read = is_for_all(&request) && !files.storage.redirects();
    let (file_name, opened) = match files.open_variant(&hash, variant, read).await? {
        Some(opened) => opened,
        None => {
            let row = media.row().await?;
            if !is_made_of(variant, &row) {
                return Err(Error::not_found());
            }
            if focus.is_some_and(|focus| focus != row.focus()) {
                return media.present_crop(&row, &name);
            }
            files.make(&hash, variant, read).await?
        }
    };
    let mut response = HttpResponse::Ok();
    if let Some(vary) = vary {
        response.insert_header((VARY, vary));
    }
    let (way, open) = if files.storage.is_lasting() {
        (WAY, WAY_OPEN)
    } else {
        (SHORT_WAY, SHORT_WAY_OPEN)
    };
    // The way that is open to `GET` is closed to `HEAD`.
    if !is_of_head(&request)
        && let Some(address) = files.storage.address(&hash, &file_name, open).await?
    {
        return Ok(response
            .status(StatusCode::FOUND)
            .insert_header((LOCATION, address))
            .insert_header((CACHE_CONTROL, format!("public, max-age={}", way.as_secs())))
            .finish());
    }
    response.insert_header((CACHE_CONTROL, FOR_EVER));
    let tag = tag(&hash, &file_name, &opened);
    send(&request, response, opened, &tag, variant.format.media_type()).await
}

/// The uploaded file, as it came; nothing that a browser would run.
async fn original(request: &HttpRequest, files: &Files, hash: &str) -> Result<HttpResponse> {
    Editor::extract(request).await?;
    let read = is_for_all(request);
    let opened = files.storage.open_file(hash, ORIGINAL, read).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((VARY, "Authorization"));
    response.insert_header((CACHE_CONTROL, NEVER));
    let opened = opened.ok_or_else(Error::not_found)?;
    let tag = tag(hash, ORIGINAL, &opened);
    send(request, response, opened, &tag, "application/octet-stream").await
}

/// A file under an address names its content: the picture, what was made of it, and by which version of what makes it;
/// its size, since files of an older one may be there still.
fn tag(hash: &str, name: &str, opened: &Opened) -> String {
    let hash = hash.get(..20).unwrap_or(hash);
    format!("\"{hash}-{VERSION}-{}-{name}\"", opened.size())
}

/// Whether all of a file is asked for, as far as can be told before it is open.
fn is_for_all(request: &HttpRequest) -> bool {
    let headers = request.headers();
    !is_of_head(request) && !headers.contains_key(IF_NONE_MATCH) && !headers.contains_key(RANGE)
}

/// Whether no body is sent.
fn is_of_head(request: &HttpRequest) -> bool {
    request.extensions().contains::<OfHead>()
}

/// Whether a variant can be made of an image.
fn is_made_of(variant: Variant, row: &ImageRow) -> bool {
    variant.is_made_of(row.width.unsigned_abs(), row.height.unsigned_abs())
}

struct Media<'a> {
    db: &'a Db,
    files: &'a Files,
    hash: &'a str,
}

impl Media<'_> {
    /// The variant of that size that the client likes best of those that are there, or are made soon. AVIF, if it would be
    /// better still, is made for those who come later.
    async fn accepted(&self, request: &HttpRequest, size: Size, focus: Option<Focus>) -> Result<Variant> {
        let lines = request.headers().get_all(ACCEPT).filter_map(|line| line.to_str().ok());
        let accept = lines.collect::<Vec<_>>().join(",");
        let of = |format| Variant { size, format, focus };
        let avif = of(Format::Avif);
        if negotiate(&accept, true) == Format::Avif {
            if self.files.has_variant(self.hash, avif).await? {
                return Ok(avif);
            }
            if !self.files.is_wanted(self.hash, avif) && !self.files.has_still(self.hash, avif).await? {
                let row = self.row().await?;
                if is_made_of(avif, &row) && focus.is_none_or(|focus| focus == row.focus()) {
                    self.files.want(self.hash, avif);
                }
            }
        }
        Ok(of(negotiate(&accept, false)))
    }

    async fn row(&self) -> Result<ImageRow> {
        let hash = self.hash.to_owned();
        let row = self.db.read(move |read| Ok(store::find_by_hash(read.conn, &hash)?));
        row.await?.ok_or_else(Error::not_found)
    }

    /// The way to the crop of the present focal point.
    fn present_crop(&self, row: &ImageRow, name: &str) -> Result<HttpResponse> {
        let query = row.named_focus().map(|focus| format!("?focal={focus}"));
        let address = format!("/media/{}/{name}{}", self.hash, query.unwrap_or_default());
        Ok(HttpResponse::TemporaryRedirect()
            .insert_header((LOCATION, address))
            .insert_header((CACHE_CONTROL, "public, max-age=60"))
            .finish())
    }
}

/// Sends a file, or the part of it that is asked for, or nothing where the client has it.
async fn send(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    opened: Opened,
    tag: &str,
    media_type: &'static str,
) -> Result<HttpResponse> {
    response
        .insert_header((ETAG, tag))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"));
    if none_match(request.headers(), tag.as_bytes()) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    response.insert_header((CONTENT_TYPE, media_type));
    let size = opened.size();
    let is_of_head = is_of_head(request);
    // A part can be asked for with GET alone.
    let wanted = if is_of_head {
        Wanted::All
    } else {
        wanted_part(request.headers(), tag, size)
    };
    let part = match wanted {
        Wanted::All => 0..size,
        Wanted::Part(part) => {
            let range = format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1));
            response.status(StatusCode::PARTIAL_CONTENT);
            response.insert_header((CONTENT_RANGE, range));
            part
        }
        Wanted::Nothing => {
            let mut response = Error::new(Code::RangeNotSatisfiable).error_response();
            let range = HeaderValue::from_str(&format!("bytes */{size}")).map_err(Error::internal)?;
            response.headers_mut().insert(CONTENT_RANGE, range);
            return Ok(response);
        }
    };
    if let Some(bytes) = opened.at_hand(&part) {
        return Ok(response.body(bytes));
    }
    let length = part.end - part.start;
    // The connection would read to its end what it does not send.
    let bytes = if is_of_head {
        futures_util::stream::empty().boxed()
    } else {
        opened.stream(part).await?
    };
    Ok(response.body(SizedStream::new(length, bytes)))
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(Range<u64>),
    /// A part that lies behind the end.
    Nothing,
}

/// What `Range` asks for (RFC 9110, 14.2). Several parts, other units and what is malformed are left aside, as is a range
/// of another file than the one that `If-Range` names.
fn wanted_part(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(IF_RANGE).is_some_and(|named| named != tag) {
        return Wanted::All;
    }
    let range = text(RANGE).and_then(|range| range.strip_prefix("bytes=")?.trim().split_once('-'));
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (from, to) = match range {
        Some(("", last)) => match number(last) {
            Some(0) => return Wanted::Nothing,
            Some(last) => (size.saturating_sub(last), size),
            None => return Wanted::All,
        },
        Some((first, "")) => match number(first) {
            Some(first) => (first, size),
            None => return Wanted::All,
        },
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(size)),
            _ => return Wanted::All,
        },
        None => return Wanted::All,
    };
    if from < size {
        Wanted::Part(from..to)
    } else {
        Wanted::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_given_and_whatever_else_is_asked_all() {
        for (range, expected) in [
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=-7", Wanted::Part(93..100)),
            ("bytes=-700", Wanted::Part(0..100)),
            ("bytes=50-99999999999999999999999", Wanted::Part(50..100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=9-2", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=-", Wanted::All),
            ("pages=1-2", Wanted::All),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static(range));
            assert_eq!(wanted_part(&headers, "\"a\"", 100), expected, "{range}");
            headers.insert(IF_RANGE, HeaderValue::from_static("\"b\""));
            assert_eq!(wanted_part(&headers, "\"a\"", 100), Wanted::All);
        }
    }
}
