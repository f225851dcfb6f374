//! Git, by the `git` program: what the documents were at a revision, and the newest commit of a repository elsewhere.
//!
//! The program and not a library, because it knows people's credentials, proxies, protocols and signatures; a library
//! would bring a second HTTP client and a second TLS library, and still start `ssh` and `ssh-keygen`. A container that
//! reads repositories needs it inside.
//!
//! Files are taken out of the object store and nothing is checked out: no hook runs, no filter, no submodule, and what
//! is written stays within the folder that was named.

mod before;
mod follow;
mod mirror;
mod program;
pub mod recent;
mod signature;
mod tree;

pub use before::Before;
pub use follow::{Followed, Follower, Good, Obstacle};
pub use mirror::{Commit, Credentials, Mirror, Remote};
pub use program::GitError;
pub use signature::Signers;
