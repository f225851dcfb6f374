//! The SDK's crates over both doors: in process, and over loopback.

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::sandbox::{Faults, connector, server};

struct Door {
    name: &'static str,
    config: SdkConfig,
    /// Ends the server when it is dropped.
    _server: JoinSet<()>,
}

fn config() -> aws_types::sdk_config::Builder {
    let credentials = Credentials::new("222233334444", "secret", None, None, "tests");
    let mut builder = SdkConfig::builder();
    builder
        .set_behavior_version(Some(BehaviorVersion::latest()))
        .set_region(Some(Region::new("eu-west-1")))
        .set_sleep_impl(Some(SharedAsyncSleep::new(TokioSleep::new())))
        .set_retry_config(Some(RetryConfig::disabled()))
        .set_credentials_provider(Some(SharedCredentialsProvider::new(credentials)));
    builder
}

async fn doors(options: impl Fn() -> Options) -> [Door; 2] {
    let mut inside = config();
    inside.set_http_client(Some(connector::http_client(sandbox(options()))));

    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut outside = config();
    outside
        .set_endpoint_url(Some(server::base_url(&listener).unwrap()))
        .set_http_client(Some(aws_smithy_http_client::Builder::new().build_http()));
    let mut server = JoinSet::new();
    server.spawn(server::serve(
        sandbox(options()),
        listener,
        CancellationToken::new(),
    ));
    [
        Door {
            name: "in process",
            config: inside.build(),
            _server: JoinSet::new(),
        },
        Door {
            name: "loopback",
            config: outside.build(),
            _server: server,
        },
    ]
}

#[tokio::test]
async fn ssm() {
    for door in doors(unhurried).await {
        let ssm = aws_sdk_ssm::Client::new(&door.config);
        let put = || {
            ssm.put_parameter()
                .name("/a")
                .value("1")
                .r#type(aws_sdk_ssm::types::ParameterType::String)
        };
        assert_eq!(put().send().await.unwrap().version(), 1, "{}", door.name);
        let exists = put().send().await.unwrap_err().into_service_error();
        assert!(
            exists.is_parameter_already_exists(),
            "{}: {exists:?}",
            door.name
        );
        let got = ssm.get_parameter().name("/a").send().await.unwrap();
        assert!(got.parameter.unwrap().last_modified_date.is_some());
        let missing = ssm
            .get_parameter()
            .name("/b")
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        assert!(missing.is_parameter_not_found());
        let unknown = ssm
            .get_document()
            .name("AWS-RunShellScript")
            .send()
            .await
            .unwrap_err();
        assert_eq!(unknown.code(), Some("UnknownOperationException"));
    }
}

#[tokio::test]
async fn contacts() {
    for door in doors(unhurried).await {
        let contacts = aws_sdk_ssmcontacts::Client::new(&door.config);
        let arn = "arn:aws:ssm-contacts:eu-west-1:222233334444:rotation/0b1c";
        let rotation = contacts
            .get_rotation()
            .rotation_id(arn)
            .send()
            .await
            .unwrap();
        assert_eq!(rotation.start_time().secs(), 1_767_225_600);
        assert_eq!(
            rotation.recurrence.unwrap().weekly_settings()[0]
                .hand_off_time
                .as_ref()
                .unwrap()
                .hour_of_day,
            9
        );
        let arn = "arn:aws:ssm-contacts:eu-west-1:222233334444:contact/ana";
        let missing = contacts
            .get_contact()
            .contact_id(arn)
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        let aws_sdk_ssmcontacts::operation::get_contact::GetContactError::ResourceNotFoundException(
            missing,
        ) = missing
        else {
            panic!("{}: {missing:?}", door.name);
        };
        assert_eq!(
            (missing.message(), missing.resource_id()),
            ("no such contact", arn)
        );
    }
}

#[tokio::test]
async fn incidents() {
    for door in doors(unhurried).await {
        let incidents = aws_sdk_ssmincidents::Client::new(&door.config);
        let region = aws_sdk_ssmincidents::types::RegionMapInputValue::builder().build();
        let created = incidents
            .create_replication_set()
            .regions("eu-west-1", region)
            .send()
            .await
            .unwrap();
        assert_eq!(
            created.arn(),
            "arn:aws:ssm-incidents::222233334444:replication-set/x"
        );
        let missing = incidents
            .get_replication_set()
            .arn(created.arn())
            .send()
            .await
            .unwrap_err();
        assert!(
            missing
                .into_service_error()
                .is_resource_not_found_exception()
        );
        let arn = "arn:aws:ssm-incidents::222233334444:response-plan/p";
        incidents
            .untag_resource()
            .resource_arn(arn)
            .tag_keys("a b")
            .tag_keys("c")
            .send()
            .await
            .unwrap();
        let tags = incidents
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await
            .unwrap();
        assert_eq!(tags.tags()["keys"], "a b+c", "{}", door.name);
        let conflict = incidents.list_incident_records().send().await.unwrap_err();
        assert_eq!(conflict.code(), Some("ConflictException"));
    }
}

#[tokio::test]
async fn cloudwatch() {
    for door in doors(unhurried).await {
        let cloudwatch = aws_sdk_cloudwatch::Client::new(&door.config);
        cloudwatch
            .put_dashboard()
            .dashboard_name("a")
            .dashboard_body("{\"widgets\":[]}")
            .send()
            .await
            .unwrap();
        let got = cloudwatch
            .get_dashboard()
            .dashboard_name("a")
            .send()
            .await
            .unwrap();
        assert_eq!(got.dashboard_body(), Some("{\"widgets\":[]}"));
        let listed = cloudwatch.list_dashboards().send().await.unwrap();
        let modified = listed.dashboard_entries()[0].last_modified().unwrap();
        assert_eq!(
            (modified.secs(), modified.subsec_nanos()),
            (1_767_225_600, 250_000_000)
        );
        let missing = cloudwatch
            .get_dashboard()
            .dashboard_name("b")
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        assert!(
            missing.is_dashboard_not_found_error(),
            "{}: {missing:?}",
            door.name
        );
        let bad = cloudwatch
            .put_dashboard()
            .dashboard_name("a")
            .dashboard_body("{")
            .send()
            .await
            .unwrap_err();
        let aws_sdk_cloudwatch::operation::put_dashboard::PutDashboardError::DashboardInvalidInputError(bad) =
            bad.into_service_error()
        else {
            panic!("{}", door.name);
        };
        assert_eq!(
            bad.dashboard_validation_messages()[0].data_path(),
            Some("/")
        );
        cloudwatch
            .delete_dashboards()
            .dashboard_names("a")
            .send()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn sts() {
    for door in doors(unhurried).await {
        let sts = aws_sdk_sts::Client::new(&door.config);
        let me = sts.get_caller_identity().send().await.unwrap();
        assert_eq!(
            (me.account(), me.arn()),
            (
                Some("222233334444"),
                Some("arn:aws:iam::222233334444:user/sandbox")
            )
        );
        let role = sts
            .assume_role()
            .role_arn("arn:aws:iam::333344445555:role/r")
            .role_session_name("me");
        let credentials = role.send().await.unwrap().credentials.unwrap();
        assert_eq!(credentials.access_key_id(), "ASIA333344445555ABCD");
        assert!(credentials.expiration().secs() > 1_767_225_600);
        let short = sts
            .assume_role()
            .role_arn("short")
            .role_session_name("me")
            .send()
            .await
            .unwrap_err();
        assert_eq!(short.code(), Some("ValidationError"), "{}", door.name);
    }
}

#[tokio::test]
async fn lost_answers_are_lost() {
    let options = || {
        Options {
        faults: Some(
            Faults::parse(
                "[{match: {operation: GetParameter}, then: timeoutBefore}, {match: {operation: PutParameter}, then: disconnectAfter}]",
            )
            .unwrap(),
        ),
        ..unhurried()
    }
    };
    for door in doors(options).await {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(std::time::Duration::from_millis(200))
            .build();
        let config = door.config.to_builder().timeout_config(timeouts).build();
        let ssm = aws_sdk_ssm::Client::new(&config);
        let late = ssm.get_parameter().name("/a").send().await.unwrap_err();
        let is_timeout = matches!(&late, aws_sdk_ssm::error::SdkError::TimeoutError(_))
            || matches!(&late, aws_sdk_ssm::error::SdkError::DispatchFailure(e) if e.is_timeout());
        assert!(is_timeout, "{}: {late:?}", door.name);
        let put = ssm
            .put_parameter()
            .name("/a")
            .value("1")
            .r#type(aws_sdk_ssm::types::ParameterType::String);
        let cut = put.send().await.unwrap_err();
        assert!(
            matches!(&cut, aws_sdk_ssm::error::SdkError::DispatchFailure(_)),
            "{}: {cut:?}",
            door.name
        );
    }
}

#[tokio::test]
async fn a_server_ends_when_told() {
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = server::base_url(&listener).unwrap();
    let stop = CancellationToken::new();
    let mut serving = JoinSet::new();
    serving.spawn(server::serve(sandbox(unhurried()), listener, stop.clone()));
    let mut outside = config();
    outside
        .set_endpoint_url(Some(url))
        .set_http_client(Some(aws_smithy_http_client::Builder::new().build_http()));
    let sts = aws_sdk_sts::Client::new(&outside.build());
    sts.get_caller_identity().send().await.unwrap();
    stop.cancel();
    // The connection above is idle and alive; it must not hold the server up.
    tokio::time::timeout(std::time::Duration::from_secs(2), serving.join_next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}
