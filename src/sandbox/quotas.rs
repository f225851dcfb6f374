//! Documented request rates, as token buckets per account, region and operation.
//!
//! Only what AWS documents is limited: a rate that nobody published would be our invention.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// The buckets of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<BTreeMap<Key, Bucket>>);

/// Account, region, service, and the operation or the group of operations that share a rate.
type Key = (String, String, &'static str, &'static str);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// Returns the calls per second that AWS documents, and the name under which they are counted together.
///
/// Organizations publishes its own, and bursts that are half as large again, which nobody should count on.
/// Systems Manager's are in the AWS General Reference ("Parameter Store", at standard throughput, "Automation" and "State
/// Manager"), `CloudWatch`'s in its user guide, Security Hub's in its API reference.
pub fn rate<'a>(service: &str, operation: &'a str) -> Option<(&'a str, f64)> {
    match (service, operation) {
        ("ssm", "GetParameter" | "GetParameters" | "GetParametersByPath") => {
            Some(("GetParameter*", 40.0))
        }
        (
            "ssm",
            "PutParameter"
            | "DescribeParameters"
            | "GetParameterHistory"
            | "LabelParameterVersion"
            | "UnlabelParameterVersion"
            | "DeleteParameter"
            | "DeleteParameters"
            | "GetAutomationExecution"
            | "DescribeAutomationExecutions"
            | "CreateAssociation"
            | "UpdateAssociation",
        )
        | (
            "cloudwatch",
            "PutMetricAlarm"
            | "PutCompositeAlarm"
            | "DeleteAlarms"
            | "DescribeAlarmHistory"
            | "DisableAlarmActions"
            | "EnableAlarmActions"
            | "SetAlarmState",
        ) => Some((operation, 3.0)),
        ("ssm", "DeleteAssociation" | "DescribeAssociation" | "StartAssociationsOnce") => {
            Some((operation, 2.0))
        }
        ("ssm", "ListAssociations" | "ListAssociationVersions") => Some((operation, 4.0)),
        ("ssm", "StartAutomationExecution" | "StopAutomationExecution")
        | ("organizations", "DescribeOrganization" | "ListRoots")
        | ("securityhub", "BatchEnableStandards") => Some((operation, 1.0)),
        ("cloudwatch", "GetDashboard" | "ListDashboards" | "PutDashboard" | "DeleteDashboards")
        | ("securityhub", _) => Some((operation, 10.0)),
        ("cloudwatch", "DescribeAlarms" | "DescribeAlarmsForMetric") => Some((operation, 9.0)),
        ("organizations", "DescribeOrganizationalUnit") => Some((operation, 2.0)),
        ("organizations", "DescribeAccount") => Some((operation, 20.0)),
        ("organizations", "ListAccounts") => Some((operation, 8.0)),
        ("organizations", "ListChildren") => Some((operation, 6.0)),
        (
            "organizations",
            "ListAccountsForParent" | "ListOrganizationalUnitsForParent" | "ListParents",
        ) => Some((operation, 5.0)),
        _ => None,
    }
}

/// Returns how many calls at once AWS documents; by default as many as it takes in a second.
pub fn burst(service: &str, per_second: f64) -> f64 {
    match service {
        "securityhub" if per_second > 1.0 => 3.0 * per_second,
        _ => per_second,
    }
}

impl Quotas {
    /// Takes a token for a call; refuses when the bucket is empty.
    pub(crate) fn admit(
        &self,
        account: &str,
        region: &str,
        service: &'static str,
        operation: &'static str,
        now: Instant,
    ) -> bool {
        let Some((group, per_second)) = rate(service, operation) else {
            return true;
        };
        let most = burst(service, per_second);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry((account.to_owned(), region.to_owned(), service, group))
            .or_insert(Bucket {
                tokens: most,
                filled: now,
            });
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * per_second).min(most);
        bucket.filled = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let quotas = Quotas::default();
        let start = Instant::now();
        let put =
            |region: &str, at| quotas.admit("111122223333", region, "ssm", "PutParameter", at);
        assert_eq!(
            [0; 4].map(|_| put("eu-west-1", start)),
            [true, true, true, false]
        );
        assert!(put("us-east-1", start), "regions do not share");
        assert!(put("eu-west-1", start + Duration::from_millis(400)));
        assert!(!put("eu-west-1", start + Duration::from_millis(401)));
    }

    #[test]
    fn readers_of_parameters_share_a_rate() {
        let quotas = Quotas::default();
        let now = Instant::now();
        let get = |operation| quotas.admit("111122223333", "eu-west-1", "ssm", operation, now);
        assert!((0..40).all(|i| get(if i % 2 == 0 {
            "GetParameter"
        } else {
            "GetParameters"
        })));
        assert!(!get("GetParametersByPath"));
        assert!(get("GetDocument"), "no rate is documented");
    }
}
