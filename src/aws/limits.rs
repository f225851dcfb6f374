//! How fast AWS may be called: from the start at the rates that it documents, and slower wherever it throttles still.
//!
//! Each operation of each service in each account and region has a pace of its own, so that one that is throttled slows
//! no other. The SDK's adaptive retry mode is not that: it has one pace for a whole client, and begins without any.
//! Time is tokio's, so that a simulation on a paused clock goes through here too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A rate that AWS documents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The service by the name that requests are signed for.
    pub service: &'static str,
    /// The operations that share it.
    pub operations: &'static [&'static str],
    /// Calls a second, in one account and region.
    pub per_second: f64,
    /// How many calls at once; a second's worth where AWS documents no other.
    pub burst: f64,
}

const fn rate(service: &'static str, operations: &'static [&'static str], per_second: f64) -> Rate {
    Rate {
        service,
        operations,
        per_second,
        burst: per_second,
    }
}

/// Any other operation of Security Hub.
const fn security_hub(operations: &'static [&'static str]) -> Rate {
    Rate {
        burst: 30.0,
        ..rate("securityhub", operations, 10.0)
    }
}

/// The rates that AWS documents for what is called here. What is not in this table has no published rate: it begins
/// without one.
pub const RATES: &[Rate] = &[
    // [D] AWS General Reference, "AWS Systems Manager endpoints and quotas": Parameter Store at standard throughput.
    rate(
        "ssm",
        &["GetParameter", "GetParameters", "GetParametersByPath"],
        40.0,
    ),
    rate("ssm", &["PutParameter"], 3.0),
    rate("ssm", &["DescribeParameters"], 3.0),
    rate("ssm", &["GetParameterHistory"], 3.0),
    rate("ssm", &["LabelParameterVersion"], 3.0),
    rate("ssm", &["UnlabelParameterVersion"], 3.0),
    rate("ssm", &["DeleteParameter"], 3.0),
    rate("ssm", &["DeleteParameters"], 3.0),
    // The same page: Automation.
    rate("ssm", &["GetAutomationExecution"], 3.0),
    rate("ssm", &["DescribeAutomationExecutions"], 3.0),
    rate("ssm", &["StartAutomationExecution"], 1.0),
    rate("ssm", &["StopAutomationExecution"], 1.0),
    // The same page: State Manager.
    rate("ssm", &["CreateAssociation"], 3.0),
    rate("ssm", &["UpdateAssociation"], 3.0),
    rate("ssm", &["DeleteAssociation"], 2.0),
    rate("ssm", &["DescribeAssociation"], 2.0),
    rate("ssm", &["ListAssociations"], 4.0),
    rate("ssm", &["ListAssociationVersions"], 4.0),
    rate("ssm", &["StartAssociationsOnce"], 2.0),
    // [D] CloudWatch user guide, "CloudWatch service quotas": alarms, then dashboards.
    rate("monitoring", &["PutMetricAlarm"], 3.0),
    rate("monitoring", &["PutCompositeAlarm"], 3.0),
    rate("monitoring", &["DeleteAlarms"], 3.0),
    rate("monitoring", &["DescribeAlarmHistory"], 3.0),
    rate("monitoring", &["EnableAlarmActions"], 3.0),
    rate("monitoring", &["DisableAlarmActions"], 3.0),
    rate("monitoring", &["SetAlarmState"], 3.0),
    rate("monitoring", &["DescribeAlarms"], 9.0),
    rate("monitoring", &["DescribeAlarmsForMetric"], 9.0),
    rate("monitoring", &["GetDashboard"], 10.0),
    rate("monitoring", &["ListDashboards"], 10.0),
    rate("monitoring", &["PutDashboard"], 10.0),
    rate("monitoring", &["DeleteDashboards"], 10.0),
    // [D] Organizations user guide, "Quotas": throttle limits.
    rate("organizations", &["DescribeOrganization"], 1.0),
    rate("organizations", &["ListRoots"], 1.0),
    rate("organizations", &["DescribeOrganizationalUnit"], 2.0),
    rate("organizations", &["DescribeAccount"], 20.0),
    rate("organizations", &["ListAccounts"], 8.0),
    rate("organizations", &["ListChildren"], 6.0),
    rate("organizations", &["ListAccountsForParent"], 5.0),
    rate("organizations", &["ListOrganizationalUnitsForParent"], 5.0),
    rate("organizations", &["ListParents"], 5.0),
    // [D] Security Hub API reference, "Throttling": one operation has a rate of its own.
    rate("securityhub", &["BatchEnableStandards"], 1.0),
    security_hub(&["BatchDeleteAutomationRules"]),
    security_hub(&["BatchDisableStandards"]),
    security_hub(&["BatchGetAutomationRules"]),
    security_hub(&["BatchGetConfigurationPolicyAssociations"]),
    security_hub(&["BatchGetSecurityControls"]),
    security_hub(&["BatchGetStandardsControlAssociations"]),
    security_hub(&["BatchUpdateAutomationRules"]),
    security_hub(&["BatchUpdateStandardsControlAssociations"]),
    security_hub(&["CreateAutomationRule"]),
    security_hub(&["CreateConfigurationPolicy"]),
    security_hub(&["CreateFindingAggregator"]),
    security_hub(&["DeleteConfigurationPolicy"]),
    security_hub(&["DeleteFindingAggregator"]),
    security_hub(&["DescribeHub"]),
    security_hub(&["DescribeOrganizationConfiguration"]),
    security_hub(&["DescribeStandards"]),
    security_hub(&["DisableOrganizationAdminAccount"]),
    security_hub(&["DisableSecurityHub"]),
    security_hub(&["EnableOrganizationAdminAccount"]),
    security_hub(&["EnableSecurityHub"]),
    security_hub(&["GetConfigurationPolicy"]),
    security_hub(&["GetConfigurationPolicyAssociation"]),
    security_hub(&["GetEnabledStandards"]),
    security_hub(&["GetFindingAggregator"]),
    security_hub(&["GetSecurityControlDefinition"]),
    security_hub(&["ListAutomationRules"]),
    security_hub(&["ListConfigurationPolicies"]),
    security_hub(&["ListConfigurationPolicyAssociations"]),
    security_hub(&["ListFindingAggregators"]),
    security_hub(&["ListOrganizationAdminAccounts"]),
    security_hub(&["ListSecurityControlDefinitions"]),
    security_hub(&["ListStandardsControlAssociations"]),
    security_hub(&["ListTagsForResource"]),
    security_hub(&["StartConfigurationPolicyAssociation"]),
    security_hub(&["StartConfigurationPolicyDisassociation"]),
    security_hub(&["TagResource"]),
    security_hub(&["UntagResource"]),
    security_hub(&["UpdateConfigurationPolicy"]),
    security_hub(&["UpdateFindingAggregator"]),
    security_hub(&["UpdateOrganizationConfiguration"]),
    security_hub(&["UpdateSecurityControl"]),
    security_hub(&["UpdateSecurityHubConfiguration"]),
];

/// How much of a documented rate is used: calls that leave evenly do not arrive so.
const USED: f64 = 0.98;
/// What is left of the rate that AWS bore when it throttles.
const CUT: f64 = 0.8;
/// By how much a rate that was cut grows in a second.
const GROWTH: f64 = 1.05;
/// The slowest pace, in calls a second.
const SLOWEST: f64 = 0.5;
/// What is taken for the rate that AWS bears before enough calls were answered to tell.
const GUESS: f64 = 5.0;

/// The paces of one account and region.
#[derive(Clone, Debug)]
pub(super) struct Paces {
    documented: &'static [Rate],
    paces: Arc<Mutex<BTreeMap<Key, Arc<Pace>>>>,
}

/// The service, and the operation or the first of those that share a rate.
type Key = (String, String);

impl Paces {
    /// Begins with these rates.
    pub(super) fn new(documented: &'static [Rate]) -> Self {
        Self {
            documented,
            paces: Arc::default(),
        }
    }

    /// Returns the pace of an operation.
    pub(super) fn of(&self, service: &str, operation: &str) -> Arc<Pace> {
        let rate = self
            .documented
            .iter()
            .find(|rate| rate.service == service && rate.operations.contains(&operation));
        let group = rate.map_or(operation, |rate| rate.operations[0]);
        let key = (service.to_owned(), group.to_owned());
        let mut paces = lock(&self.paces);
        paces
            .entry(key)
            .or_insert_with(|| Arc::new(Pace::new(rate)))
            .clone()
    }
}

/// The pace of one operation, or of several that share a rate.
#[derive(Debug)]
pub(super) struct Pace {
    /// Whose turn it is: first come, first served. Who gives up waiting has taken nothing.
    turn: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
}

impl Pace {
    fn new(rate: Option<&Rate>) -> Self {
        Self {
            turn: tokio::sync::Mutex::default(),
            bucket: Mutex::new(Bucket::new(rate, Instant::now())),
        }
    }

    /// Waits until the next call may leave, and returns the moment.
    pub(super) async fn wait(&self) -> Instant {
        let _turn = self.turn.lock().await;
        loop {
            let now = Instant::now();
            let pause = lock(&self.bucket).take(now);
            match pause {
                None => return now,
                Some(pause) => sleep(pause).await,
            }
        }
    }

    /// Learns how a call that left at that moment ended.
    pub(super) fn learn(&self, left: Instant, throttled: bool) {
        lock(&self.bucket).learn(left, throttled, Instant::now());
    }
}

/// A token bucket whose rate falls when AWS throttles, and recovers.
#[derive(Debug)]
struct Bucket {
    /// The rate that is never exceeded; infinite where AWS documents none.
    most: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
    /// The rate after the last cut, and its moment.
    cut: Option<(f64, Instant)>,
    /// How many calls AWS answered in this second and in the one before, and when this one began.
    answered: (f64, f64, Instant),
}

impl Bucket {
    fn new(rate: Option<&Rate>, now: Instant) -> Self {
        // One call less at once than AWS allows: two that leave apart may arrive together.
        let burst = rate.map_or(1.0, |rate| (rate.burst - 1.0).max(1.0));
        Self {
            most: rate.map_or(f64::INFINITY, |rate| rate.per_second * USED),
            burst,
            tokens: burst,
            filled: now,
            cut: None,
            answered: (0.0, 0.0, now),
        }
    }

    fn rate(&self, now: Instant) -> f64 {
        self.cut.map_or(self.most, |(rate, at)| {
            let passed = now.saturating_duration_since(at).as_secs_f64();
            (rate * GROWTH.powf(passed)).min(self.most)
        })
    }

    /// Takes a token; says how long to wait when there is none.
    fn take(&mut self, now: Instant) -> Option<Duration> {
        let rate = self.rate(now);
        if rate.is_infinite() {
            return None;
        }
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        // A rate that was learned allows a tenth of a second's worth at once: enough not to be bound by timers.
        let burst = if self.most.is_finite() {
            self.burst
        } else {
            (rate / 10.0).max(1.0)
        };
        self.tokens = (self.tokens + passed * rate).min(burst);
        self.filled = now;
        let missing = 1.0 - self.tokens;
        if missing <= 1e-9 {
            self.tokens -= 1.0;
            return None;
        }
        // The rate grows meanwhile: look again at least every second.
        Some(Duration::from_secs_f64((missing / rate).min(1.0)))
    }

    fn learn(&mut self, left: Instant, throttled: bool, now: Instant) {
        let (this, before, began) = self.answered;
        let passed = now.saturating_duration_since(began).as_secs_f64();
        if passed >= 2.0 {
            self.answered = (0.0, 0.0, now);
        } else if passed >= 1.0 {
            self.answered = (0.0, this, now);
        } else {
            self.answered = (this, before, began);
        }
        if !throttled {
            self.answered.0 += 1.0;
            return;
        }
        // Calls that were under way when the rate was cut say nothing about the new one.
        if self.cut.is_some_and(|(_, at)| left < at) {
            return;
        }
        let bore = self.answered.0.max(self.answered.1).max(GUESS);
        let rate = (CUT * self.rate(now).min(bore)).max(SLOWEST);
        self.cut = Some((rate.min(self.most), now));
        self.tokens = 0.0;
        self.filled = now;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use futures::stream::FuturesUnordered;

    use super::*;

    /// Sends so many calls at once; `admit` says which AWS takes. Returns the seconds until all were taken.
    async fn send(paces: &Paces, operation: &str, calls: usize, admit: &dyn Fn() -> bool) -> f64 {
        let began = Instant::now();
        let mut all: FuturesUnordered<_> = (0..calls)
            .map(|_| async {
                let pace = paces.of("monitoring", operation);
                loop {
                    let left = pace.wait().await;
                    sleep(Duration::from_millis(40)).await;
                    let taken = admit();
                    pace.learn(left, !taken);
                    if taken {
                        break;
                    }
                }
            })
            .collect();
        while all.next().await.is_some() {}
        began.elapsed().as_secs_f64()
    }

    /// AWS's own bucket: so many calls a second, and as many at once.
    fn aws(per_second: f64) -> impl Fn() -> bool {
        let bucket = Mutex::new((per_second, Instant::now()));
        move || {
            let mut bucket = lock(&bucket);
            let passed = bucket.1.elapsed().as_secs_f64();
            bucket.0 = (bucket.0 + passed * per_second).min(per_second);
            bucket.1 = Instant::now();
            let admitted = bucket.0 >= 1.0;
            bucket.0 -= if admitted { 1.0 } else { 0.0 };
            admitted
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_documented_rate_is_used_up_and_never_exceeded() {
        let (paces, aws) = (Paces::new(RATES), aws(10.0));
        let refused = Mutex::new(0);
        let admit = || {
            let admitted = aws();
            *lock(&refused) += i32::from(!admitted);
            admitted
        };
        let seconds = send(&paces, "PutDashboard", 300, &admit).await;
        assert_eq!(*lock(&refused), 0);
        assert!(seconds < 29.0 * 1.05, "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_undocumented_rate_is_found_and_a_better_one_as_well() {
        let paces = Paces::new(RATES);
        let slow = send(&paces, "TagResource", 300, &aws(5.0)).await;
        assert!((59.0..59.0 * 1.3).contains(&slow), "{slow}");
        let fast = send(&paces, "TagResource", 3_000, &aws(200.0)).await;
        assert!(fast < 110.0, "{fast}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_throttled_slows_no_other() {
        let paces = Paces::new(RATES);
        send(&paces, "TagResource", 20, &aws(1.0)).await;
        assert!(send(&paces, "UntagResource", 1_000, &|| true).await < 0.1);
        // Operations that share a documented rate share it here.
        assert!(Arc::ptr_eq(
            &paces.of("ssm", "GetParameter"),
            &paces.of("ssm", "GetParameters")
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_waiting_has_taken_nothing() {
        let paces = Paces::new(RATES);
        let pace = paces.of("ssm", "PutParameter");
        pace.wait().await;
        pace.wait().await;
        let began = Instant::now();
        for _ in 0..100 {
            let waited = tokio::time::timeout(Duration::from_millis(1), pace.wait()).await;
            assert!(waited.is_err());
        }
        pace.wait().await;
        assert!(began.elapsed() < Duration::from_millis(350));
    }
}
