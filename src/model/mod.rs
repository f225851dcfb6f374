//! The pure core: documents, references, differences, plans and their order, as values.
//!
//! Nothing here talks to AWS, Kubernetes, Git, files, the environment, a clock or a source of randomness; a test
//! keeps it so. Start reading at [`spec`], then [`plan`].

pub mod address;
mod bounded;
pub mod canonical;
pub mod diff;
pub mod digest;
pub mod document;
pub mod graph;
pub mod held;
pub mod lifecycle;
pub mod live;
pub mod plan;
pub mod pointer;
pub mod reference;
pub mod report;
pub mod schema;
pub mod sensitive;
pub mod settle;
pub mod spec;
pub mod stamp;
pub mod substitute;
pub mod suggest;

pub use address::{Address, Location, partition};
pub use document::{Document, Format};
pub use held::Held;
pub use live::{Id, Live};
pub use reference::Ref;
pub use report::{Diagnostic, Place, Report, Severity};
pub use sensitive::Sensitive;
pub use spec::{AnySpec, Erased, Spec};
