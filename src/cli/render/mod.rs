//! How plans and outcomes look: pure functions from values to text. Nothing here prints.
//!
//! Every value passes [`crate::model::sensitive::masked`] on its way into a text; a property test over all formats
//! holds that.

pub mod diagnostics;
mod difference;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod markdown_outcome;
mod places;
pub mod progress;
pub mod sarif;

mod style;
mod text;
mod udiff;
mod words;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use style::{Style, Title, Wording};
