//! Who called what, read from a signed request, and the simulated AWS as an HTTP client that lets somebody see it.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt as _;
use stationbill::sandbox::{self, Access, Lost, Sandbox};

/// On which side of a call's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// One call, as far as a request shows it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The access key, which tells callers apart.
    pub(crate) key: String,
    /// For instance `CreateContact` or `createResponsePlan`.
    pub(crate) operation: String,
    /// Whether it may change something.
    pub(crate) writes: bool,
    /// What it says.
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn of(parts: &Parts, body: &Bytes) -> Self {
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let key = header("authorization")
            .and_then(|text| text.split_once("Credential=")?.1.split('/').next());
        let target = header("x-amz-target").and_then(|target| target.rsplit('.').next());
        let path = parts.uri.path();
        let operation = match target {
            Some(target) => target.to_owned(),
            None if path.starts_with("/tags/") => format!("{} tags", parts.method),
            None => {
                let last = path.rsplit('/').next().filter(|last| !last.is_empty());
                let form = String::from_utf8_lossy(body);
                let mut pairs = form.split('&');
                let action = pairs.find_map(|pair| pair.strip_prefix("Action="));
                last.or(action).unwrap_or_default().to_owned()
            }
        };
        Self {
            key: key.unwrap_or_default().to_owned(),
            operation,
            writes: sandbox::access(parts, body) != Some(Access::Read),
            body: body.clone(),
        }
    }
}

/// Sees each call twice.
pub(crate) type Look = dyn Fn(&Call, Moment) + Send + Sync;

/// Returns the simulated AWS in process, with somebody who sees every call. After each, others get their turn.
pub(crate) fn watched(sandbox: Arc<Sandbox>, look: Arc<Look>) -> SharedHttpClient {
    SharedHttpClient::new(Watched { sandbox, look })
}

#[derive(Clone)]
struct Watched {
    sandbox: Arc<Sandbox>,
    look: Arc<Look>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl HttpClient for Watched {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { sandbox, look } = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().unwrap();
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let call = Call::of(&parts, &body);
            look(&call, Moment::Before);
            let answer = sandbox
                .exchange(http::Request::from_parts(parts, body))
                .await;
            look(&call, Moment::After);
            tokio::task::yield_now().await;
            let response = answer.map_err(|lost| match lost {
                Lost::TimedOut => ConnectorError::timeout("timed out".into()),
                Lost::Disconnected => ConnectorError::io("cut off".into()),
            })?;
            Ok(HttpResponse::try_from(response.map(SdkBody::from)).unwrap())
        })
    }
}
