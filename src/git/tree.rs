//! Takes the files of a commit out of the object store.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::GitError;
use super::program::Git;

/// How many bytes of files are taken out at most.
pub(super) const MOST: u64 = 256 << 20;

/// The largest file whose text is taken out; the loader reads none that is larger, and only needs to see that it is.
const LARGEST: u64 = 8 << 20;

/// One entry of a tree.
struct Entry {
    mode: String,
    id: String,
    size: u64,
    path: PathBuf,
}

/// Writes what a commit has at a path, which is empty for all, into a folder that is there. Says whether there is
/// anything.
///
/// Links are made last and are not followed; submodules are left out. More than `most` bytes of files are too many.
pub(super) async fn write(
    git: &Git,
    commit: &str,
    path: &str,
    into: &Path,
    most: u64,
) -> Result<bool, GitError> {
    let mut args = vec!["ls-tree", "-r", "-z", "-l", "--full-tree", commit];
    if !path.is_empty() {
        args.extend(["--", path]);
    }
    let listed = git.run(&args).await?;
    let mut entries = Vec::new();
    for line in listed
        .split(|byte| *byte == 0)
        .filter(|line| !line.is_empty())
    {
        entries.extend(entry(&String::from_utf8_lossy(line))?);
    }
    let all = entries
        .iter()
        .map(|entry| entry.size.min(LARGEST))
        .sum::<u64>();
    if all > most {
        let name = if path.is_empty() {
            "the repository"
        } else {
            path
        };
        return Err(GitError::Large {
            what: name.to_owned(),
            most,
        });
    }
    let (small, large): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| entry.size <= LARGEST);
    let ids: Vec<&str> = small.iter().map(|entry| entry.id.as_str()).collect();
    let ids = ids.join("\n") + "\n";
    let texts = git.feed(&["cat-file", "--batch"], ids.into_bytes()).await?;
    let mut rest = texts.as_slice();
    let mut links = Vec::new();
    for entry in small {
        let text = next(&mut rest, entry)?;
        if entry.mode == "120000" {
            links.push((entry, text));
        } else {
            put(&into.join(&entry.path), |path| fs::write(path, text))?;
        }
    }
    for entry in large {
        put(&into.join(&entry.path), |path| {
            fs::File::create(path)?.set_len(entry.size)
        })?;
    }
    for (entry, text) in links {
        put(&into.join(&entry.path), |path| link(text, path))?;
    }
    Ok(!entries.is_empty())
}

/// Reads `<mode> SP <type> SP <id> SP+ <size> TAB <path>`; nothing for what is no file.
fn entry(line: &str) -> Result<Option<Entry>, GitError> {
    let unreadable = || GitError::Unsafe(line.to_owned());
    let (head, path) = line.split_once('\t').ok_or_else(unreadable)?;
    let parts: Vec<&str> = head.split_whitespace().collect();
    let [mode, kind, id, size] = parts[..] else {
        return Err(unreadable());
    };
    if kind != "blob" {
        return Ok(None);
    }
    let named = Path::new(path);
    let plain = |part: Component<'_>| match part {
        Component::Normal(name) => !name.eq_ignore_ascii_case(".git"),
        _ => false,
    };
    if !named.components().all(plain) || path.contains('\u{FFFD}') || path.contains('\\') {
        return Err(GitError::Unsafe(path.to_owned()));
    }
    Ok(Some(Entry {
        mode: mode.to_owned(),
        id: id.to_owned(),
        size: size.parse().map_err(|_| unreadable())?,
        path: named.to_owned(),
    }))
}

/// Takes the next of `<id> SP blob SP <size> LF <contents> LF`.
fn next<'t>(rest: &mut &'t [u8], entry: &Entry) -> Result<&'t [u8], GitError> {
    let short = || GitError::Refused {
        what: "cat-file".to_owned(),
        said: format!("object {} is not there", entry.id),
        hint: Some("the repository is damaged, or a partial clone: fetch it whole".to_owned()),
    };
    let line = rest.iter().position(|byte| *byte == b'\n');
    let line = line.ok_or_else(short)?;
    let head = String::from_utf8_lossy(&rest[..line]);
    let size = head.rsplit(' ').next().and_then(|size| size.parse().ok());
    let size: usize = size
        .filter(|_| head.starts_with(&entry.id))
        .ok_or_else(short)?;
    let (start, end) = (line + 1, line + 1 + size);
    let text = rest.get(start..end).ok_or_else(short)?;
    *rest = rest.get(end + 1..).unwrap_or_default();
    Ok(text)
}

fn put(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), GitError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| write(path))
        .map_err(|source| GitError::File {
            path: path.to_owned(),
            source,
        })
}

#[cfg(unix)]
fn link(to: &[u8], path: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(to), path)
}

/// Where links are a privilege, a file with the link's text stands in its place, as `git` itself does it.
#[cfg(not(unix))]
fn link(to: &[u8], path: &Path) -> io::Result<()> {
    fs::write(path, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_folder() {
        for path in [
            "../x",
            "/x",
            "a/../../x",
            ".git/config",
            "a/.GIT/x",
            "a\\..\\x",
        ] {
            let line = format!("100644 blob 0123 5\t{path}");
            assert!(matches!(entry(&line), Err(GitError::Unsafe(_))), "{path}");
        }
        assert!(
            entry("160000 commit 0123       -\tmodule")
                .unwrap()
                .is_none()
        );
        assert_eq!(
            entry("100755 blob 0123      12\ta/b c")
                .unwrap()
                .unwrap()
                .size,
            12
        );
    }
}
