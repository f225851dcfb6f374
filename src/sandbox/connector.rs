//! The sandbox as an HTTP client of the AWS SDK: same requests, same answers, no network.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use super::Sandbox;
use super::service::Lost;

/// Returns an HTTP client whose every request goes to the sandbox, whatever its host.
pub fn http_client(sandbox: Arc<Sandbox>) -> SharedHttpClient {
    SharedHttpClient::new(InProcess(sandbox))
}

#[derive(Clone, Debug)]
struct InProcess(Arc<Sandbox>);

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|e| ConnectorError::user(e.into()))?;
            let (parts, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .map_err(ConnectorError::user)?
                .to_bytes();
            let response = sandbox
                .exchange(http::Request::from_parts(parts, body))
                .await
                .map_err(|lost| match lost {
                    Lost::TimedOut => {
                        ConnectorError::timeout("the sandbox lets this call time out".into())
                    }
                    Lost::Disconnected => {
                        ConnectorError::io("the sandbox cuts this connection".into())
                    }
                })?;
            HttpResponse::try_from(response.map(SdkBody::from))
                .map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}
