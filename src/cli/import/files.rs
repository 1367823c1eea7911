//! The files of an import: which are articles, and where the pictures are that they show.

use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use walkdir::WalkDir;

/// Largest file that is read as an article, in bytes: the largest source, and room for front matter.
const MOST_BYTES: u64 = (1 << 20) + (256 << 10);

/// Largest picture, in bytes: that of uploads.
const MOST_PICTURE: u64 = 20 << 20;

/// A folder that is imported.
pub struct Folder {
    /// Without symbolic links in it, so that paths can be compared.
    root: PathBuf,
}

/// A file that is to become an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its path in the folder, with `/`; how the article is known.
    pub name: String,
}

impl Folder {
    /// Opens a folder. The error is one line.
    pub fn open(dir: &Path) -> Result<Self, String> {
        let root = dir
            .canonicalize()
            .map_err(|error| format!("cannot open {}: {error}", dir.display()))?;
        if !root.is_dir() {
            return Err(format!("{} is no folder", dir.display()));
        }
        Ok(Self { root })
    }

    /// Every `.md` and `.markdown` in it, in the order of their paths. Hidden files and folders, `node_modules` and
    /// symbolic links are left out. What cannot be read is an error in the list.
    pub fn files(&self) -> Vec<Result<File, (String, String)>> {
        WalkDir::new(&self.root)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !is_left_out(&entry.file_name().to_string_lossy()))
            .filter_map(|entry| match entry {
                Ok(entry) if entry.file_type().is_file() && is_markdown(entry.path()) => {
                    Some(self.file(entry.into_path()))
                }
                Ok(_) => None,
                Err(error) => {
                    let path = error.path().map_or_else(String::new, |path| self.shown(path));
                    Some(Err((path, error.to_string())))
                }
            })
            .collect()
    }

    fn file(&self, path: PathBuf) -> Result<File, (String, String)> {
        match self.name(&path) {
            Some(name) => Ok(File { path, name }),
            None => Err((self.shown(&path), "its name is not UTF-8".to_owned())),
        }
    }

    /// The path in the folder, with `/`.
    fn name(&self, path: &Path) -> Option<String> {
        let parts: Option<Vec<&str>> = path
            .strip_prefix(&self.root)
            .ok()?
            .components()
            .map(|part| part.as_os_str().to_str())
            .collect();
        parts.map(|parts| parts.join("/"))
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    }

    /// The file of a picture that an article shows, if it lies in the folder. A path is looked up beside the article
    /// and in the folder of its name (as Hexo keeps pictures of an article); one that begins with `/` in every folder
    /// above it, and in `static` there (as Hugo has it).
    pub fn picture(&self, article: &File, address: &str) -> Picture {
        let Some(path) = local_path(address) else {
            return Picture::Elsewhere;
        };
        let decoded = percent_decode_str(path).decode_utf8().ok();
        let forms = [Some(path), decoded.as_deref().filter(|decoded| *decoded != path)];
        for form in forms.into_iter().flatten() {
            if let Some(found) = self.places(article, form).find_map(|place| self.inside(&place)) {
                return Picture::Here(found);
            }
        }
        Picture::Missing
    }

    fn places<'a>(&'a self, article: &'a File, path: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        let beside = article.path.parent().unwrap_or(&self.root);
        let rooted = path.strip_prefix('/');
        let near = rooted
            .is_none()
            .then(|| [beside.join(path), article.path.with_extension("").join(path)]);
        let above = rooted.into_iter().flat_map(move |path| {
            let folders = beside.ancestors().take_while(|folder| folder.starts_with(&self.root));
            folders.flat_map(move |folder| [folder.join(path), folder.join("static").join(path)])
        });
        near.into_iter().flatten().chain(above)
    }

    /// The file, if it is one and does not lead out of the folder.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let path = path.canonicalize().ok()?;
        (path.starts_with(&self.root) && path.is_file()).then_some(path)
    }
}

/// Where a picture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// On the web, in the address itself, or uploaded already.
    Elsewhere,
    /// In the folder.
    Here(PathBuf),
    /// It should be in the folder and is not.
    Missing,
}

/// The path in an address that has neither scheme nor host.
fn local_path(address: &str) -> Option<&str> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let has_scheme = path.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    });
    (!path.is_empty() && !has_scheme && !path.starts_with("//")).then_some(path)
}

fn is_left_out(name: &str) -> bool {
    name.starts_with('.') || name == "node_modules"
}

fn is_markdown(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("md") || ending.eq_ignore_ascii_case("markdown"))
}

/// The bytes of a file, if they are not more. The error is one line.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most {
        return Err(format!("it is larger than {} MiB", most >> 20));
    }
    Ok(bytes)
}

/// The bytes of a picture. The error is one line.
pub fn read_picture(path: &Path) -> Result<Vec<u8>, String> {
    read(path, MOST_PICTURE)
}

impl File {
    /// Its text, without a byte order mark. The error is one line.
    pub fn read(&self) -> Result<String, String> {
        let bytes = read(&self.path, MOST_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {}", error.utf8_error()))?;
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }

    /// Its name without the ending.
    pub fn stem(&self) -> String {
        self.path
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }

    /// Whether it lies in a folder that Hexo and Jekyll keep drafts in.
    pub fn is_draft(&self) -> bool {
        self.path
            .components()
            .any(|part| part == Component::Normal("_drafts".as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let folder = Folder::open(dir.path()).unwrap();
        (dir, folder)
    }

    fn names(folder: &Folder) -> Vec<String> {
        folder.files().into_iter().map(|file| file.unwrap().name).collect()
    }

    #[test]
    fn articles_are_found_in_the_order_of_their_paths() {
        let (_dir, folder) = folder(&[
            "b.md",
            "a/二.MARKDOWN",
            "a/一.md",
            ".git/x.md",
            "node_modules/p/README.md",
            ".hidden.md",
            "c.txt",
            "md",
        ]);
        assert_eq!(names(&folder), ["a/一.md", "a/二.MARKDOWN", "b.md"]);
        assert!(Folder::open(Path::new("/nowhere/at/all")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_lead_nowhere() {
        let (other, _) = folder(&["secret.md", "secret.png"]);
        let (dir, folder) = folder(&["a.md"]);
        std::os::unix::fs::symlink(other.path().join("secret.md"), dir.path().join("b.md")).unwrap();
        std::os::unix::fs::symlink(other.path(), dir.path().join("c")).unwrap();
        std::os::unix::fs::symlink(other.path().join("secret.png"), dir.path().join("d.png")).unwrap();
        assert_eq!(names(&folder), ["a.md"]);
        let article = folder.files().remove(0).unwrap();
        for address in [
            "d.png",
            "c/secret.png",
            &format!("../{}/secret.png", other.path().file_name().unwrap().to_string_lossy()),
            "/etc/passwd",
        ] {
            assert_eq!(folder.picture(&article, address), Picture::Missing, "{address}");
        }
    }

    #[test]
    fn pictures_are_looked_up_near_and_above() {
        let (_dir, folder) = folder(&[
            "_posts/x/a.md",
            "_posts/x/n.png",
            "_posts/x/a/own.png",
            "assets/图 1.jpg",
            "static/s.png",
        ]);
        let article = folder.files().remove(0).unwrap();
        for address in [
            "n.png",
            "./n.png?v=2",
            "own.png",
            "/assets/图 1.jpg",
            "/assets/%E5%9B%BE%201.jpg",
            "../../assets/图%201.jpg",
            "/s.png",
        ] {
            assert!(
                matches!(folder.picture(&article, address), Picture::Here(_)),
                "{address}"
            );
        }
        for address in ["m.png", "/assets", "assets/图 1.jpg", "a\0b"] {
            assert_eq!(folder.picture(&article, address), Picture::Missing, "{address}");
        }
        for address in [
            "https://example.org/a.png",
            "//example.org/a.png",
            "data:image/png;base64,AA",
            "image:7",
            "",
            "#x",
        ] {
            assert_eq!(folder.picture(&article, address), Picture::Elsewhere, "{address}");
        }
    }
}
