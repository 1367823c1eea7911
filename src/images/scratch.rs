//! Files on their way: a folder of its own for each process, known to be in use by a lock that ends with the process,
//! whatever ends that.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

/// Age from which on a file without an owner is nobody's: an older version laid them here directly.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// A folder for temporary files; it goes with this.
pub struct Scratch {
    folder: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new folder in `parent`, which must lie in the file system that the files go to. What processes that have ended left
    /// there is removed, as far as that works. The error is one line.
    pub fn open(parent: &Path) -> Result<Self, String> {
        let made = || -> io::Result<Self> {
            fs::create_dir_all(parent)?;
            sweep(parent)?;
            let (folder, lock_path, lock) = loop {
                let name = Uuid::now_v7().to_string();
                let lock_path = parent.join(format!("{name}.lock"));
                let lock = File::create_new(&lock_path)?;
                lock.lock()?;
                // Another process may have swept it away before it was locked.
                if lock_path.exists() {
                    break (parent.join(name), lock_path, lock);
                }
            };
            fs::create_dir(&folder)?;
            Ok(Self {
                folder,
                lock_path,
                _lock: lock,
            })
        };
        made().map_err(|error| format!("cannot use {}: {error}", parent.display()))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for outcome in [fs::remove_dir_all(&self.folder), fs::remove_file(&self.lock_path)] {
            if let Err(error) = outcome {
                log::warn!("{} is left: {error}", self.folder.display());
            }
        }
    }
}

/// Removes what is left in a folder that older versions used, and the folder.
pub fn clear(parent: &Path) {
    let cleared = sweep(parent).and_then(|()| fs::remove_dir(parent));
    if let Err(error) = cleared
        && error.kind() != io::ErrorKind::NotFound
    {
        log::warn!("{} is left: {error}", parent.display());
    }
}

/// Removes what no living process owns.
fn sweep(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let path = entry.path();
        let outcome = if path.extension().is_some_and(|ending| ending == "lock") {
            File::open(&path).and_then(|lock| match lock.try_lock() {
                Ok(()) => remove(&path.with_extension("")).and_then(|()| fs::remove_file(&path)),
                Err(_in_use) => Ok(()),
            })
        } else if !path.with_extension("lock").exists() && is_old(&entry) {
            remove(&path)
        } else {
            Ok(())
        };
        match outcome {
            // Another process may have been faster.
            Err(error) if error.kind() != io::ErrorKind::NotFound => log::warn!("{} is left: {error}", path.display()),
            _ => {}
        }
    }
    Ok(())
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let age = entry.metadata().and_then(|meta| meta.modified());
    age.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > FORGOTTEN))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_left_goes_and_what_a_living_one_has_stays() {
        let parent = tempfile::tempdir().unwrap();
        let living = Scratch::open(parent.path()).unwrap();
        fs::write(living.folder().join("upload"), b"half").unwrap();
        // As a killed process leaves it: the lock is gone with it.
        let dead = parent.path().join("0198f2c6");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("upload"), b"half").unwrap();
        File::create(parent.path().join("0198f2c6.lock")).unwrap();

        let other = Scratch::open(parent.path()).unwrap();
        assert!(!dead.exists() && living.folder().join("upload").exists());
        drop((living, other));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
