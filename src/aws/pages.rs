//! Lists that come in pages, whole or not at all.

use std::collections::BTreeSet;
use std::error::Error;
use std::future::Future;

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::AwsError;
use super::transport::IN_FLIGHT;

/// How many pages are read of one list: with 50 objects each, far more than any quota allows.
const MOST: usize = 10_000;

/// Reads what a list named, several at a time, and keeps the order. What a read answers nothing about is left out.
///
/// A read is a large thing while it is under way, so each is made when its turn comes: an account has thousands of objects.
///
/// # Errors
/// The first that a read ends with.
pub async fn read_each<T, F>(reads: impl IntoIterator<Item = F>) -> Result<Vec<T>, AwsError>
where
    F: Future<Output = Result<Option<T>, AwsError>>,
{
    let reads = stream::iter(reads).buffered(IN_FLIGHT);
    let found: Vec<Option<T>> = reads.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// The pages of one list.
///
/// When an answer names the page again that it is itself, the SDK's paginators end as if that were all. A list that is
/// cut short reads as "the rest is not there", so here it is an error, as is one without an end.
pub struct Pages<O, E> {
    stream: PaginationStream<Result<O, SdkError<E, HttpResponse>>>,
    token: fn(&O) -> Option<&str>,
    seen: BTreeSet<String>,
}

impl<O, E> Pages<O, E>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    /// Takes what a paginator sends, and how an answer names the next page.
    pub fn of(
        stream: PaginationStream<Result<O, SdkError<E, HttpResponse>>>,
        token: fn(&O) -> Option<&str>,
    ) -> Self {
        Self {
            stream,
            token,
            seen: BTreeSet::new(),
        }
    }

    /// Returns the next page; nothing when the list was read to its end.
    pub async fn next(&mut self) -> Option<Result<O, AwsError>> {
        let page = self.stream.next().await?;
        Some(page.map_err(AwsError::from).and_then(|page| {
            match (self.token)(&page) {
                Some(token) if !token.is_empty() => fresh(&mut self.seen, token)?,
                _ => {}
            }
            Ok(page)
        }))
    }
}

/// Refuses a page that was read already.
pub fn fresh(seen: &mut BTreeSet<String>, token: &str) -> Result<(), AwsError> {
    if seen.len() < MOST && seen.insert(token.to_owned()) {
        return Ok(());
    }
    Err(AwsError::unexpected(
        "the list",
        "its pages have no end: one is named again, or there are thousands",
    ))
}
