//! Credentials and clients for one account and region.

use std::path::PathBuf;
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder as HttpBuilder, proxy::ProxyConfig};
use aws_smithy_runtime::client::retries::{ClientRateLimiter, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::sdk_config::SharedCredentialsProvider;

use super::ambient::{Ambient, with_endpoints};
use super::limits::{RATES, Rate};
use super::memory::Memory;
use super::owners::Owners;
use super::transport::{Calls, Gate, Metered, Named, ServerClock, Traffic};
use super::{AwsError, error::chain};
use crate::model::Location;
use crate::sandbox::Sandbox;

/// The clients of one account and region.
#[derive(Clone, Debug)]
pub struct Aws {
    /// Where they act.
    pub location: Location,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Systems Manager.
    pub ssm: aws_sdk_ssm::Client,
    /// Incident Manager's contacts.
    pub contacts: aws_sdk_ssmcontacts::Client,
    /// Incident Manager.
    pub incidents: aws_sdk_ssmincidents::Client,
    /// Security Hub CSPM.
    pub securityhub: aws_sdk_securityhub::Client,
    /// What need not be read again, wherever it is.
    pub memory: Memory,
    /// Whose objects are, where that is remembered.
    pub owners: Option<Owners>,
}

impl Aws {
    /// Returns a member that AWS must have answered, or an error that names the operation.
    pub fn required<T>(
        &self,
        operation: &str,
        member: &str,
        value: Option<T>,
    ) -> Result<T, AwsError> {
        value.ok_or_else(|| AwsError::unexpected(operation, &format!("the answer has no {member}")))
    }
}

/// How to reach AWS.
#[derive(Clone, Debug, Default)]
pub struct Connector {
    /// The simulated AWS in process, instead of the real one.
    pub sandbox: Option<Arc<Sandbox>>,
    /// The account to be in the simulated AWS; real credentials name their own.
    pub sandbox_account: Option<String>,
    /// The region; without it whatever the environment and the profile say.
    pub region: Option<String>,
    /// A file of certificates to trust besides the system's (`AWS_CA_BUNDLE`).
    pub ca_bundle: Option<PathBuf>,
    /// The HTTP client, instead of our own: for whoever wants to see what goes over the wire.
    pub http: Option<SharedHttpClient>,
    /// What was configured when [`Connector::configured`] looked.
    pub config: Option<SdkConfig>,
    /// Whose objects are, for many stacks that look at the same accounts again and again; `None` to ask each time.
    pub owners: Option<Owners>,
    /// How fast each place may be called, for all connections that are made of this.
    pub traffic: Traffic,
}

impl Connector {
    /// Looks for the configuration and the credentials once, for every connection that is made of it: they share the
    /// credentials, the certificates and the connections to AWS.
    pub async fn configured(self) -> Result<Self, ConnectError> {
        let config = Some(self.config().await?);
        Ok(Self { config, ..self })
    }

    async fn config(&self) -> Result<SdkConfig, ConnectError> {
        if let Some(config) = &self.config {
            return Ok(config.clone());
        }
        match &self.sandbox {
            Some(sandbox) => Ok(sandbox_config(self, sandbox)),
            None => real_config(self).await,
        }
    }
}

/// What all clients of a run share.
#[derive(Clone)]
struct Run {
    calls: Calls,
    clock: ServerClock,
    gate: Gate,
    rates: &'static [Rate],
    memory: Memory,
    owners: Option<Owners>,
    traffic: Traffic,
}

/// A way to AWS that is known to work. A copy is the same way: it counts, and stops, with the others.
#[derive(Clone)]
pub struct Connection {
    /// Whose credentials they are: an ARN.
    pub caller: String,
    /// The clients of the account of the credentials and the configured region.
    pub aws: Aws,
    /// Counts every request.
    pub calls: Calls,
    /// AWS's clock.
    pub clock: ServerClock,
    /// Stops every write once a lease is lost.
    pub gate: Gate,
    /// The rates that every place begins with.
    pub(super) rates: &'static [Rate],
    /// What all connections of the process share of each place.
    traffic: Traffic,
    /// How everything else is reached: with the credentials at hand, in the configured region.
    pub(super) config: SdkConfig,
    /// The same, counted and bounded, for roles and the organization.
    pub(super) central: SdkConfig,
}

/// Why AWS cannot be reached at all.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No region is configured anywhere.
    #[error("no region is configured")]
    NoRegion,
    /// What is configured is no region.
    #[error("`{0}` is no region")]
    Region(String),
    /// A file of profiles cannot be read.
    #[error("cannot read the profiles: {0}")]
    Profiles(String),
    /// The environment names a profile that no file has.
    #[error("there is no profile `{0}`")]
    NoProfile(String),
    /// A setting of the environment or the profile says what it cannot mean.
    #[error("{from} is `{value}`: it must be {wanted}")]
    Setting {
        /// The variable, or the key and the profile.
        from: String,
        /// What it says.
        value: String,
        /// What it may say.
        wanted: &'static str,
    },
    /// An endpoint is no URL.
    #[error(
        "`{url}` is no endpoint of AWS: `{variable}` or `AWS_ENDPOINT_URL`, or `endpoint_url` of the profile"
    )]
    Endpoint {
        /// What is configured.
        url: String,
        /// The variable that sets the endpoint of this service alone.
        variable: String,
    },
    /// The file of certificates cannot be read.
    #[error("cannot read the certificates in `{path}`")]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The TLS library does not accept the certificates.
    #[error("cannot use the certificates: {0}")]
    Certificates(String),
    /// The credentials at hand do not work.
    #[error("cannot find out which account the credentials belong to: {0}")]
    Identity(String),
}

impl ConnectError {
    /// Returns what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoRegion => "set AWS_REGION, choose a profile with a region, or pass --region",
            Self::Region(_) => "a region is, for instance, `eu-west-1`",
            Self::Profiles(_) => {
                "`AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` may name others"
            }
            Self::NoProfile(_) => {
                "`AWS_PROFILE` names it; `aws configure list-profiles` prints those there are"
            }
            Self::Setting { .. } => "unset it to have what is usual",
            Self::Endpoint { .. } => {
                "an endpoint is, for instance, `https://vpce.example.com`; unset it to reach AWS itself"
            }
            Self::CaBundle { .. } | Self::Certificates(_) => {
                "`AWS_CA_BUNDLE` names a file of certificates in PEM"
            }
            Self::Identity(_) => {
                "check the AWS credentials at hand, or try the simulated AWS with --sandbox"
            }
        }
    }
}

/// The region of the simulated AWS when none is configured.
pub const SANDBOX_REGION: &str = "ap-northeast-1";
/// The account of the simulated AWS when none is configured.
pub const SANDBOX_ACCOUNT: &str = "111122223333";

/// Finds credentials, region and account, and makes the clients.
pub async fn connect(connector: &Connector) -> Result<Connection, ConnectError> {
    // A simulated AWS without rates has none to keep to.
    let paced = connector
        .sandbox
        .as_ref()
        .is_none_or(|sandbox| sandbox.has_rates());
    let clock = ServerClock::default();
    let run = Run {
        traffic: connector.traffic.clone(),
        calls: Calls::default(),
        memory: Memory::new(clock.clone()),
        owners: connector.owners.clone(),
        clock,
        gate: Gate::default(),
        rates: if paced { RATES } else { &[] },
    };
    let config = connector.config().await?;
    let region = config.region().map(ToString::to_string);
    let region = region.filter(|region| !region.is_empty());
    let region = region.ok_or(ConnectError::NoRegion)?;
    if !is_region(&region) {
        return Err(ConnectError::Region(region));
    }
    let nowhere = Location {
        account: String::new(),
        region: region.clone(),
    };
    let central = metered(&config, nowhere, &run);
    let sts = aws_sdk_sts::Client::new(&central);
    let identity = sts.get_caller_identity().send().await;
    let identity = identity.map_err(|e| ConnectError::Identity(AwsError::from(e).to_string()))?;
    let caller = identity.arn.clone().unwrap_or_default();
    let account = identity
        .account
        .ok_or_else(|| ConnectError::Identity("AWS named no account".to_owned()))?;
    let aws = clients(&config, Location { account, region }, &run);
    let Run {
        calls,
        clock,
        gate,
        rates,
        memory: _,
        owners: _,
        traffic,
    } = run;
    Ok(Connection {
        caller,
        aws,
        calls,
        clock,
        gate,
        rates,
        traffic,
        config,
        central,
    })
}

impl Connection {
    /// Returns the clients of another region, for the account of the credentials.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Aws {
        let mut location = self.aws.location.clone();
        if location.region == region {
            return self.aws.clone();
        }
        region.clone_into(&mut location.region);
        let config = self.config.to_builder();
        let config = config.region(Region::new(region.to_owned())).build();
        self.clients(&config, location)
    }

    /// Makes the clients of an account and region.
    pub(super) fn clients(&self, config: &SdkConfig, location: Location) -> Aws {
        let run = Run {
            calls: self.calls.clone(),
            clock: self.clock.clone(),
            gate: self.gate.clone(),
            rates: self.rates,
            memory: self.aws.memory.clone(),
            owners: self.aws.owners.clone(),
            traffic: self.traffic.clone(),
        };
        clients(config, location, &run)
    }
}

/// Says whether a text can be the name of a region; of one that cannot the SDK speaks in words about its own insides.
fn is_region(text: &str) -> bool {
    let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(label)
}

fn sandbox_config(connector: &Connector, sandbox: &Arc<Sandbox>) -> SdkConfig {
    let account = connector
        .sandbox_account
        .as_deref()
        .unwrap_or(SANDBOX_ACCOUNT);
    let region = connector
        .region
        .clone()
        .unwrap_or_else(|| SANDBOX_REGION.to_owned());
    let http = connector.http.clone();
    let http = http.unwrap_or_else(|| crate::sandbox::connector::http_client(sandbox.clone()));
    let credentials = Credentials::new(account, "sandbox", None, None, "sandbox");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new(region))
        .http_client(http)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .stalled_stream_protection(stalled_streams())
        .time_source(SharedTimeSource::new(SystemTimeSource::new()))
        .build()
}

/// A call that waits for its pace sends nothing meanwhile, and the SDK would take that for a stalled upload. It ends after
/// a minute without an answer anyway.
fn stalled_streams() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .build()
}

async fn real_config(connector: &Connector) -> Result<SdkConfig, ConnectError> {
    let http = match &connector.http {
        Some(http) => http.clone(),
        None => https(connector)?,
    };
    let ambient = Ambient::read(Env::real(), &Fs::real()).await?;
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .profile_name(ambient.profile())
        .retry_config(ambient.retries()?)
        .stalled_stream_protection(stalled_streams());
    if let Some(region) = connector.region.clone().or_else(|| ambient.region()) {
        loader = loader.region(Region::new(region));
    }
    with_endpoints(&loader.load().await)
}

/// Makes the HTTPS client: rustls with ring, the system's certificates, the proxy variables.
fn https(connector: &Connector) -> Result<SharedHttpClient, ConnectError> {
    let mut trust = TrustStore::default();
    if let Some(path) = &connector.ca_bundle {
        let pem = std::fs::read(path).map_err(|source| ConnectError::CaBundle {
            path: path.clone(),
            source,
        })?;
        trust = trust.with_pem_certificate(pem);
    }
    let tls = TlsContext::builder().with_trust_store(trust).build();
    let tls = tls.map_err(|e| ConnectError::Certificates(chain(&e)))?;
    let provider = Provider::rustls(CryptoMode::Ring);
    Ok(
        HttpBuilder::new().build_with_connector_fn(move |settings, _components| {
            let mut builder = aws_smithy_http_client::Connector::builder()
                .tls_provider(provider.clone())
                .tls_context(tls.clone());
            builder.set_connector_settings(settings.cloned());
            builder.set_proxy_config(Some(ProxyConfig::from_env()));
            builder.build()
        }),
    )
}

fn metered(config: &SdkConfig, location: Location, run: &Run) -> SdkConfig {
    match config.http_client() {
        Some(client) => {
            let lane = run.traffic.lane(&location, run.rates);
            let client = Metered::new(
                client,
                location,
                run.calls.clone(),
                run.clock.clone(),
                run.gate.clone(),
                lane,
            );
            config
                .to_builder()
                .http_client(SharedHttpClient::new(client))
                .build()
        }
        None => config.clone(),
    }
}

fn clients(config: &SdkConfig, location: Location, run: &Run) -> Aws {
    let config = metered(config, location.clone(), run);
    // By default the SDK shares retry state by service and region; each account gets its own, so that one that is
    // throttled does not slow the others.
    let partition = |service: &str| {
        RetryPartition::custom(format!("{service}-{location}"))
            .token_bucket(TokenBucket::default())
            .client_rate_limiter(ClientRateLimiter::default())
            .build()
    };
    Aws {
        cloudwatch: aws_sdk_cloudwatch::Client::from_conf(
            aws_sdk_cloudwatch::config::Builder::from(&config)
                .retry_partition(partition("cloudwatch"))
                .interceptor(Named)
                .build(),
        ),
        ssm: aws_sdk_ssm::Client::from_conf(
            aws_sdk_ssm::config::Builder::from(&config)
                .retry_partition(partition("ssm"))
                .interceptor(Named)
                .build(),
        ),
        contacts: aws_sdk_ssmcontacts::Client::from_conf(
            aws_sdk_ssmcontacts::config::Builder::from(&config)
                .retry_partition(partition("contacts"))
                .interceptor(Named)
                .build(),
        ),
        incidents: aws_sdk_ssmincidents::Client::from_conf(
            aws_sdk_ssmincidents::config::Builder::from(&config)
                .retry_partition(partition("incidents"))
                .interceptor(Named)
                .build(),
        ),
        securityhub: aws_sdk_securityhub::Client::from_conf(
            aws_sdk_securityhub::config::Builder::from(&config)
                .retry_partition(partition("securityhub"))
                .interceptor(Named)
                .build(),
        ),
        memory: run.memory.clone(),
        owners: run.owners.clone(),
        location,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Options;

    #[test]
    fn a_call_that_waits_for_its_pace_is_no_stalled_upload() {
        let sandbox = Sandbox::open(Options::default()).unwrap();
        let config = sandbox_config(&Connector::default(), &sandbox);
        let protection = config.stalled_stream_protection().unwrap();
        assert!(!protection.upload_enabled() && protection.download_enabled());
    }
}
