//! README's tour is true: its commands run with the real binary, and what they print is what README shows.
//!
//! Its blocks of the language `console` hold `$ command` lines, each followed by what it writes to stdout and stderr.
//! They run one after the other, in one folder and one session. `UPDATE_README=1 cargo test --test it tour` writes the
//! outputs anew.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fancy_regex::Regex;

use crate::clients;

const PROGRAM: &str = env!("CARGO_BIN_EXE_stationbill");
/// The port that README shows. The tests take a free one.
const PORT: &str = "127.0.0.1:4599";

/// One command, and the lines that README shows under it.
struct Step {
    command: String,
    lines: std::ops::Range<usize>,
}

/// Finds every command of every console block, with the place of its output.
fn steps(lines: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    let mut index = 0;
    while index < lines.len() {
        let line = lines[index];
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            let mut command = command.to_owned();
            while command.ends_with('\\') {
                command.pop();
                index += 1;
                command.push_str(lines[index].trim_start());
            }
            let begin = index + 1;
            let ends = |line: &&str| line.starts_with("$ ") || line.starts_with("```");
            let length = lines[begin..].iter().position(ends).unwrap();
            let lines = begin..begin + length;
            steps.push(Step { command, lines });
        }
        index += 1;
    }
    steps
}

/// What a shell would remember between the commands.
struct Session {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    server: Option<Child>,
    address: String,
    status: i32,
}

impl Session {
    fn new(aws: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        std::os::unix::fs::symlink(examples, folder.path().join("examples")).unwrap();
        let mut path = vec![Path::new(PROGRAM).parent().unwrap().to_owned()];
        path.extend(aws.and_then(Path::parent).map(Path::to_owned));
        path.extend(["/usr/bin", "/bin"].map(PathBuf::from));
        let path = std::env::join_paths(path).unwrap().into_string().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let environment = BTreeMap::from([
            ("PATH".to_owned(), path),
            ("HOME".to_owned(), home),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ]);
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = address.local_addr().unwrap().to_string();
        let (server, status) = (None, 0);
        Self {
            folder,
            environment,
            server,
            address,
            status,
        }
    }

    /// Runs a command, and returns what it prints.
    fn run(&mut self, command: &str) -> String {
        let command = command.replace(PORT, &self.address);
        let printed = if let Some(assignments) = command.strip_prefix("export ") {
            for assignment in assignments.split_whitespace() {
                let (name, value) = assignment.split_once('=').unwrap();
                self.environment.insert(name.to_owned(), value.to_owned());
            }
            String::new()
        } else if let Some(command) = command.strip_suffix(" &") {
            self.serve(command)
        } else if command == "kill %1" {
            self.end();
            String::new()
        } else if command == "echo $?" {
            format!("{}\n", self.status)
        } else {
            let output = self.shell(&format!("{{ {command}\n}} 2>&1")).output();
            let output = output.unwrap();
            self.status = output.status.code().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        printed.replace(&self.address, PORT)
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null());
        shell
    }

    /// Starts a server, which says on its first line where it is.
    fn serve(&mut self, command: &str) -> String {
        let mut shell = self.shell(&format!("exec {command}"));
        let mut server = shell.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(server.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        self.server = Some(server);
        line
    }

    fn end(&mut self) {
        let mut server = self.server.take().unwrap();
        let id = server.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(server.wait().unwrap().success());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            server.kill().ok();
            server.wait().ok();
        }
    }
}

/// Takes out what differs from run to run, and what a terminal would show as one moving line that goes away.
fn masked(text: &str) -> String {
    let progress = Regex::new(r"(?m)^[+~±=-] \S+/\S+  .*\n").unwrap();
    let cost = Regex::new(r" +\d+ calls, \d+(\.\d)? s").unwrap();
    let id = Regex::new(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|pb-[0-9a-f]{17}").unwrap();
    let text = progress.replace_all(text, "");
    let text = cost.replace_all(&text, " N calls, T s");
    let text = id.replace_all(&text, "ID");
    text.lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect()
}

/// Shows it as README does: without the lines that only come where there is no terminal.
fn shown(text: &str) -> String {
    let progress = Regex::new(r"(?m)^[+~±=-] \S+/\S+  .*\n").unwrap();
    progress.replace_all(text, "").into_owned()
}

fn joined(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// Returns the AWS CLI, unless somebody left AWS's clients out.
fn aws() -> Option<PathBuf> {
    (!clients::skipped()).then(|| clients::python().with_file_name("aws"))
}

#[test]
fn readme_shows_what_the_program_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let mut readme = String::new();
    let mut file = fs::File::open(&path).unwrap();
    file.read_to_string(&mut readme).unwrap();
    let lines: Vec<&str> = readme.lines().collect();
    let aws = aws();
    let mut session = Session::new(aws.as_deref());
    let mut fresh = String::new();
    let mut written = 0;
    let mut wrong = Vec::new();
    let steps = steps(&lines);
    assert!(steps.len() > 10, "README has lost its tour");
    for step in steps {
        if step.command.starts_with("aws ") && aws.is_none() {
            // The rest of the tour is about what this would have changed.
            assert!(wrong.is_empty(), "{}", wrong.concat());
            return;
        }
        let printed = session.run(&step.command);
        let known = joined(&lines[step.lines.clone()]);
        fresh.push_str(&joined(&lines[written..step.lines.start]));
        written = step.lines.end;
        if masked(&known) == masked(&printed) {
            fresh.push_str(&known);
        } else {
            fresh.push_str(&shown(&printed));
            let command = &step.command;
            wrong.push(format!("$ {command}\n{printed}\nREADME shows:\n{known}\n"));
        }
    }
    fresh.push_str(&joined(&lines[written..]));
    #[expect(clippy::disallowed_methods, reason = "the switch that writes README")]
    let update = std::env::var_os("UPDATE_README");
    if update.is_some() {
        fs::write(&path, fresh).unwrap();
        return;
    }
    assert!(
        wrong.is_empty(),
        "README is not true: look at this, then run `UPDATE_README=1 cargo test --test it tour`\n\n{}",
        wrong.concat()
    );
}

#[test]
fn documents_in_readme_are_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let content = "content/restart-checkout.yaml";
    fs::create_dir(folder.path().join("content")).unwrap();
    let from = root.join("examples/banana-stand/runbooks").join(content);
    fs::copy(from, folder.path().join(content)).unwrap();
    let mut count = 0;
    for block in readme.split("```yaml\n").skip(1) {
        let (text, _) = block.split_once("```").unwrap();
        fs::write(folder.path().join(format!("{count}.yaml")), text).unwrap();
        count += 1;
    }
    assert!(count > 0, "README shows no documents");
    let mut validate = Command::new(PROGRAM);
    let output = validate
        .arg("validate")
        .arg(folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
}
