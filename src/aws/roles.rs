//! Other accounts: roles that are assumed once for an account, and renewed before they run out.

use std::error::Error as _;
use std::time::Duration;

use aws_config::Region;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::client::Connection;
use super::transport::Named;
use super::{Aws, AwsError, Class, chain};
use crate::model::Location;

/// Credentials that have less left than this are renewed before they are used again.
const RENEWED: SignedDuration = SignedDuration::from_mins(5);

/// How often a call of the organization's directory is tried.
const PATIENCE: u32 = 10;

/// A role to assume.
#[derive(Clone, Debug)]
pub struct Assume {
    /// Its ARN.
    pub arn: String,
    /// What its trust policy asks for.
    pub external_id: Option<String>,
    /// The session's name.
    pub session_name: String,
    /// How long a session lasts.
    pub lasts: Option<Duration>,
}

/// Credentials that are known to have worked.
#[derive(Clone, Debug)]
pub struct Assumed(SharedCredentialsProvider);

impl Connection {
    /// Returns the credentials at hand.
    pub fn own(&self) -> Option<Assumed> {
        self.config.credentials_provider().map(Assumed::of)
    }

    /// Assumes a role.
    ///
    /// # Errors
    /// What AWS said; the credentials are not used then.
    pub async fn assume(&self, from: &Assumed, role: &Assume) -> Result<Assumed, AwsError> {
        let mut builder = AssumeRoleProvider::builder(&role.arn)
            .configure(&self.central)
            .session_name(&role.session_name);
        if let Some(id) = &role.external_id {
            builder = builder.external_id(id);
        }
        if let Some(lasts) = role.lasts {
            builder = builder.session_length(lasts);
        }
        let provider = builder.build_from_provider(from.0.clone()).await;
        let assumed = Assumed::of(SharedCredentialsProvider::new(provider));
        // Once here, and not by every client at every place: whoever is refused is refused once.
        match assumed.0.provide_credentials().await {
            Ok(_) => Ok(assumed),
            Err(error) => Err(refused(&error)),
        }
    }

    /// Makes the clients of a place.
    pub fn place(&self, credentials: &Assumed, location: Location) -> Aws {
        let config = self.config.to_builder();
        let config = config
            .credentials_provider(credentials.0.clone())
            .region(Region::new(location.region.clone()))
            .build();
        self.clients(&config, location)
    }

    /// Makes a client of the organization's directory, which takes a few calls a second and wants patience.
    pub fn organizations(&self) -> aws_sdk_organizations::Client {
        let config = aws_sdk_organizations::config::Builder::from(&self.central);
        let retry = RetryConfig::standard().with_max_attempts(PATIENCE);
        aws_sdk_organizations::Client::from_conf(
            config.retry_config(retry).interceptor(Named).build(),
        )
    }
}

impl Assumed {
    fn of(provider: SharedCredentialsProvider) -> Self {
        Self(SharedCredentialsProvider::new(Remembered {
            provider,
            last: Mutex::default(),
        }))
    }
}

/// Every client has a cache of its own and asks here: one call to AWS serves all clients of an account.
#[derive(Debug)]
struct Remembered {
    provider: SharedCredentialsProvider,
    last: Mutex<Option<Credentials>>,
}

impl ProvideCredentials for Remembered {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let mut last = self.last.lock().await;
            if let Some(known) = last.as_ref().filter(|known| lasts(known)) {
                return Ok(known.clone());
            }
            let fresh = self.provider.provide_credentials().await?;
            *last = Some(fresh.clone());
            Ok(fresh)
        })
    }
}

fn lasts(credentials: &Credentials) -> bool {
    let Some(expiry) = credentials.expiry() else {
        return true;
    };
    Timestamp::try_from(expiry).is_ok_and(|expiry| Timestamp::now() + RENEWED < expiry)
}

/// Says what AWS said about a role.
fn refused(error: &CredentialsError) -> AwsError {
    let service = error
        .source()
        .and_then(|cause| cause.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>());
    match service {
        Some(error) => AwsError::read(error),
        None => AwsError::of(Class::Transient, chain(error)),
    }
}
