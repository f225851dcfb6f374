//! What the environment and the profile that AWS's tools share say, looked at before the SDK does.
//!
//! Over some of it the SDK panics, over some it says only what went wrong inside itself, and what is set to nothing it
//! takes for a value, where AWS's other tools take it for not set.

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_types::retry::{RetryConfig, RetryMode};
use aws_types::SdkConfig;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::client::ConnectError;
use super::error::chain;

/// The profile of whoever names none. [D] AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
const DEFAULT_PROFILE: &str = "default";
/// How the SDK calls the services that are called: the end of `AWS_ENDPOINT_URL_…`, with `_` for a space.
const SERVICES: [&str; 7] = [
    "STS",
    "Organizations",
    "SSM",
    "SSM Contacts",
    "SSM Incidents",
    "SecurityHub",
    "CloudWatch",
];

/// The environment and the profile that it chooses.
pub(super) struct Ambient {
    env: Env,
    profiles: ProfileSet,
}

/// What one setting says, and where.
struct Setting {
    value: String,
    source: String,
}

impl Setting {
    fn refused(&self, wanted: &'static str) -> ConnectError {
        ConnectError::Setting {
            from: self.source.clone(),
            value: self.value.clone(),
            wanted,
        }
    }
}

impl Ambient {
    /// Reads the files of profiles.
    ///
    /// # Errors
    /// [`ConnectError::Profiles`] where a file is no such file, [`ConnectError::NoProfile`] where none of them has the
    /// profile that the environment names.
    pub(super) async fn read(env: Env, fs: &Fs) -> Result<Self, ConnectError> {
        let chosen = env.get("AWS_PROFILE").unwrap_or_default();
        let name = match chosen.as_str() {
            "" => DEFAULT_PROFILE.to_owned(),
            name => name.to_owned(),
        };
        let files = EnvConfigFiles::default();
        let profiles = profile::load(fs, &env, &files, Some(name.clone().into())).await;
        let profiles = profiles.map_err(|e| ConnectError::Profiles(chain(&e)))?;
        if name != DEFAULT_PROFILE && profiles.get_profile(&name).is_none() {
            return Err(ConnectError::NoProfile(name));
        }
        Ok(Self { env, profiles })
    }

    /// Returns the chosen profile.
    pub(super) fn profile(&self) -> &str {
        self.profiles.selected_profile()
    }

    /// Returns the region of `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile.
    pub(super) fn region(&self) -> Option<String> {
        let region = self.setting(&["AWS_REGION", "AWS_DEFAULT_REGION"], "region");
        region.map(|setting| setting.value)
    }

    /// Returns how often a call is tried.
    ///
    /// # Errors
    /// [`ConnectError::Setting`] where that is no number, or no mode that AWS knows.
    pub(super) fn retries(&self) -> Result<RetryConfig, ConnectError> {
        let mut retries = RetryConfig::standard();
        if let Some(setting) = self.setting(&["AWS_MAX_ATTEMPTS"], "max_attempts") {
            let attempts = setting.value.parse().ok().filter(|attempts| *attempts > 0);
            let wanted = "a whole number from 1 on";
            retries = retries.with_max_attempts(attempts.ok_or_else(|| setting.refused(wanted))?);
        }
        if let Some(setting) = self.setting(&["AWS_RETRY_MODE"], "retry_mode") {
            retries = retries.with_retry_mode(match setting.value.to_lowercase().as_str() {
                // The first is that of older tools, and the SDK has only what followed it. [D] AWS SDKs and Tools
                // Reference Guide, "Retry behavior".
                "legacy" | "standard" => RetryMode::Standard,
                "adaptive" => RetryMode::Adaptive,
                _ => return Err(setting.refused("`standard` or `adaptive`")),
            });
        }
        Ok(retries)
    }

    /// Returns what the first of these variables says, or the profile; what is empty says nothing.
    fn setting(&self, variables: &[&str], key: &str) -> Option<Setting> {
        let said = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        let variable = |name: &&str| {
            Some(Setting {
                value: said(&self.env.get(name).ok()?)?,
                source: format!("`{name}`"),
            })
        };
        variables.iter().find_map(variable).or_else(|| {
            Some(Setting {
                value: said(self.profiles.get(key)?)?,
                source: format!("`{key}` of the profile `{}`", self.profile()),
            })
        })
    }
}

/// Returns a configuration without the endpoints that are set to nothing.
///
/// # Errors
/// [`ConnectError::Endpoint`] where one is no URL.
pub(super) fn with_endpoints(config: &SdkConfig) -> Result<SdkConfig, ConnectError> {
    let mut builder = config.to_builder().service_config(Filled(config.clone()));
    let common = config.endpoint_url().filter(|url| !url.trim().is_empty());
    builder.set_endpoint_url(common.map(str::to_owned));
    let config = builder.build();
    for service in SERVICES {
        let own = config.service_config().and_then(|own| {
            let key = ServiceConfigKey::builder().service_id(service);
            let key = key.env("AWS_ENDPOINT_URL").profile("endpoint_url");
            own.load_config(key.build().ok()?)
        });
        if let Some(url) = own.as_deref().or(config.endpoint_url())
            && !is_url(url)
        {
            let variable = format!(
                "AWS_ENDPOINT_URL_{}",
                service.to_uppercase().replace(' ', "_")
            );
            let url = url.to_owned();
            return Err(ConnectError::Endpoint { variable, url });
        }
    }
    Ok(config)
}

fn is_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// What is configured of single services, but for what is set to nothing.
#[derive(Debug)]
struct Filled(SdkConfig);

impl LoadServiceConfig for Filled {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let value = self.0.service_config()?.load_config(key);
        value.filter(|value| !value.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ambient(variables: &[(&str, &str)], file: &str) -> Result<Ambient, ConnectError> {
        let variables = [
            &[("HOME", "/home"), ("AWS_CONFIG_FILE", "/config")],
            variables,
        ]
        .concat();
        let fs = Fs::from_slice(&[("/config", file)]);
        Ambient::read(Env::from_slice(&variables), &fs).await
    }

    async fn retries(variables: &[(&str, &str)], file: &str) -> Result<(u32, RetryMode), String> {
        let ambient = ambient(variables, file).await.map_err(|e| chain(&e))?;
        let retries = ambient.retries().map_err(|e| chain(&e))?;
        Ok((retries.max_attempts(), retries.mode()))
    }

    #[tokio::test]
    async fn retries_are_as_the_environment_or_the_profile_says() {
        let profile = "[default]\nretry_mode = adaptive\n[profile ops]\nmax_attempts = 7\n";
        assert_eq!(retries(&[], "").await, Ok((3, RetryMode::Standard)));
        assert_eq!(retries(&[], profile).await, Ok((3, RetryMode::Adaptive)));
        let ops = ("AWS_PROFILE", "ops");
        assert_eq!(retries(&[ops], profile).await, Ok((7, RetryMode::Standard)));
        let more = [ops, ("AWS_MAX_ATTEMPTS", "9"), ("AWS_RETRY_MODE", "Legacy")];
        assert_eq!(retries(&more, profile).await, Ok((9, RetryMode::Standard)));
        let empty = [ops, ("AWS_MAX_ATTEMPTS", ""), ("AWS_RETRY_MODE", " ")];
        assert_eq!(retries(&empty, profile).await, Ok((7, RetryMode::Standard)));
    }

    #[tokio::test]
    async fn what_cannot_be_meant_is_refused_with_its_place() {
        let cases: [(&[_], &str, &str); 6] = [
            (
                &[("AWS_MAX_ATTEMPTS", "0")],
                "",
                "`AWS_MAX_ATTEMPTS` is `0`",
            ),
            (
                &[("AWS_MAX_ATTEMPTS", "lots")],
                "",
                "`AWS_MAX_ATTEMPTS` is `lots`",
            ),
            (
                &[("AWS_RETRY_MODE", "never")],
                "",
                "`AWS_RETRY_MODE` is `never`",
            ),
            (
                &[],
                "[default]\nmax_attempts = -1\n",
                "`max_attempts` of the profile `default` is `-1`",
            ),
            (
                &[("AWS_PROFILE", "nobody")],
                "",
                "there is no profile `nobody`",
            ),
            (&[], "[default\n", "/config on line 1"),
        ];
        for (variables, file, said) in cases {
            let error = retries(variables, file).await.unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[tokio::test]
    async fn an_empty_variable_hides_no_region() {
        let region = async |variables: &[(&str, &str)]| {
            let file = "[default]\nregion = eu-west-1\n[profile ops]\n";
            ambient(variables, file).await.unwrap().region()
        };
        let said = |region: &str| Some(region.to_owned());
        assert_eq!(region(&[]).await, said("eu-west-1"));
        assert_eq!(region(&[("AWS_REGION", "")]).await, said("eu-west-1"));
        let second = [("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-east-2")];
        assert_eq!(region(&second).await, said("us-east-2"));
        let first = [
            ("AWS_REGION", "us-west-2"),
            ("AWS_DEFAULT_REGION", "us-east-2"),
        ];
        assert_eq!(region(&first).await, said("us-west-2"));
        assert_eq!(region(&[("AWS_PROFILE", "ops")]).await, None);
        assert_eq!(region(&[("AWS_PROFILE", "")]).await, said("eu-west-1"));
    }

    /// Endpoints of single services; the others have none.
    #[derive(Debug)]
    struct Own(&'static [(&'static str, &'static str)]);

    impl LoadServiceConfig for Own {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            let own = self.0.iter().find(|own| own.0 == key.service_id());
            own.map(|own| own.1.to_owned())
        }
    }

    fn endpoints(
        common: Option<&str>,
        own: &'static [(&'static str, &'static str)],
    ) -> Result<(Option<String>, Option<String>), String> {
        let mut config = SdkConfig::builder().service_config(Own(own));
        config.set_endpoint_url(common.map(str::to_owned));
        let config = with_endpoints(&config.build()).map_err(|e| chain(&e))?;
        let ssm = aws_sdk_ssm::config::Builder::from(&config).build();
        let ssm = format!("{ssm:?}").contains("EndpointUrl(\"http://ssm\")");
        Ok((
            config.endpoint_url().map(str::to_owned),
            ssm.then(|| "http://ssm".to_owned()),
        ))
    }

    #[test]
    fn an_endpoint_that_is_empty_is_none_and_one_that_is_no_url_is_refused() {
        assert_eq!(endpoints(None, &[]), Ok((None, None)));
        assert_eq!(endpoints(Some(""), &[("SSM", " ")]), Ok((None, None)));
        let common = "https://aws.example.com:4566/x";
        assert_eq!(
            endpoints(Some(common), &[]),
            Ok((Some(common.to_owned()), None))
        );
        for bad in [
            "foo",
            "ftp://x",
            "http://",
            " http://localhost",
            "localhost:4566",
            "http//x",
        ] {
            let error = endpoints(Some(bad), &[]).unwrap_err();
            assert!(
                error.contains(&format!("`{bad}` is no endpoint")),
                "{error}"
            );
        }
        let error = endpoints(None, &[("SSM Contacts", "contacts")]).unwrap_err();
        assert!(error.contains("AWS_ENDPOINT_URL_SSM_CONTACTS"), "{error}");
        // What is not called does not matter.
        assert_eq!(endpoints(None, &[("S3", "nonsense")]), Ok((None, None)));
    }
}
