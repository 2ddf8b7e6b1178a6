//! Which Chromium there is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// How to get one.
pub const INSTALL: &str = "apt-get install chromium   # or --browser PATH";

/// The names under which it is installed, the first one preferred.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser to use: the one that was named (`none` for none at all), else the first that a search path (as in `PATH`)
/// holds.
///
/// # Errors
/// One was named and is no executable file.
pub fn find(named: Option<&OsStr>, search_path: Option<&OsStr>) -> Result<Option<PathBuf>, String> {
    match named {
        Some(word) if word == "none" => Ok(None),
        Some(path) if is_executable(Path::new(path)) => Ok(Some(path.into())),
        Some(path) => Err(format!("browser: {} is no executable file", Path::new(path).display())),
        None => {
            let folders: Vec<PathBuf> = search_path.map(std::env::split_paths).into_iter().flatten().collect();
            let candidates = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
            Ok(candidates.into_iter().find(|path| is_executable(path)))
        }
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_named_one_counts_before_those_of_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let path = Some(folder.path().as_os_str());
        assert_eq!(find(None, path), Ok(None));
        let plain = file("chromium", 0o644);
        let chrome = file("google-chrome", 0o755);
        assert_eq!(find(None, path), Ok(Some(chrome.clone())));
        assert_eq!(find(Some("none".as_ref()), path), Ok(None));
        assert_eq!(find(Some(chrome.as_os_str()), None), Ok(Some(chrome)));
        assert!(find(Some(plain.as_os_str()), path).unwrap_err().contains("no executable"));
        assert_eq!(find(None, None), Ok(None));
    }
}
