use jiff::civil::time;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn turns(zone: &str, start: &str, members: &[&str], hand_offs: HandOffs) -> Turns {
    Turns {
        zone: TimeZone::get(zone).unwrap(),
        start: at(start),
        members: names(members),
        on_calls: 1,
        multiplier: 1,
        hand_offs,
        coverage: None,
    }
}

fn nine() -> Time {
    time(9, 0, 0, 0)
}

/// Writes shifts as `start end: members`, with `(displaced)` behind an override.
fn lines(turns: &Turns, overrides: &[Override], from: &str, to: &str) -> Vec<String> {
    turns
        .shifts(overrides, at(from), at(to))
        .map(|shift| {
            let displaced = shift
                .displaced
                .map(|who| format!(" ({})", who.join(",")))
                .unwrap_or_default();
            let who = shift.members.join(",");
            format!("{} {}: {who}{displaced}", shift.start, shift.end)
        })
        .collect()
}

#[test]
fn the_first_shift_runs_from_the_start_to_the_first_hand_off() {
    let turns = turns(
        "UTC",
        "2026-01-05T12:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![nine()]),
    );
    assert_eq!(
        lines(&turns, &[], "2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"),
        [
            "2026-01-05T12:00:00Z 2026-01-06T09:00:00Z: a",
            "2026-01-06T09:00:00Z 2026-01-07T09:00:00Z: b",
            "2026-01-07T09:00:00Z 2026-01-08T09:00:00Z: a",
        ]
    );
}

#[test]
fn a_start_that_is_a_hand_off_makes_no_empty_shift() {
    let turns = turns(
        "UTC",
        "2026-01-05T09:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![nine()]),
    );
    assert_eq!(
        lines(&turns, &[], "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
        ["2026-01-05T09:00:00Z 2026-01-06T09:00:00Z: a"]
    );
}

#[test]
fn a_multiplier_makes_turns_of_several_days_or_weeks() {
    let mut daily = turns(
        "UTC",
        "2026-01-05T09:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![nine()]),
    );
    daily.multiplier = 3;
    assert_eq!(
        lines(&daily, &[], "2026-01-05T09:00:00Z", "2026-01-12T00:00:00Z"),
        [
            "2026-01-05T09:00:00Z 2026-01-08T09:00:00Z: a",
            "2026-01-08T09:00:00Z 2026-01-11T09:00:00Z: b",
            "2026-01-11T09:00:00Z 2026-01-14T09:00:00Z: a",
        ]
    );
    let mut weekly = turns(
        "UTC",
        "2026-01-05T09:00:00Z",
        &["a", "b"],
        HandOffs::Weekly(vec![(Weekday::Monday, nine())]),
    );
    weekly.multiplier = 3;
    assert_eq!(
        lines(&weekly, &[], "2026-01-05T09:00:00Z", "2026-02-16T09:00:00Z"),
        [
            "2026-01-05T09:00:00Z 2026-01-26T09:00:00Z: a",
            "2026-01-26T09:00:00Z 2026-02-16T09:00:00Z: b",
        ]
    );
}

#[test]
fn two_hand_offs_a_week_are_two_turns() {
    let turns = turns(
        "UTC",
        "2026-01-05T00:00:00Z",
        &["a", "b", "c"],
        HandOffs::Weekly(vec![
            (Weekday::Friday, time(15, 57, 0, 0)),
            (Weekday::Wednesday, time(4, 25, 0, 0)),
        ]),
    );
    assert_eq!(
        lines(&turns, &[], "2026-01-05T00:00:00Z", "2026-01-16T15:57:00Z"),
        [
            "2026-01-05T00:00:00Z 2026-01-07T04:25:00Z: a",
            "2026-01-07T04:25:00Z 2026-01-09T15:57:00Z: b",
            "2026-01-09T15:57:00Z 2026-01-14T04:25:00Z: c",
            "2026-01-14T04:25:00Z 2026-01-16T15:57:00Z: a",
        ]
    );
}

#[test]
fn two_hand_offs_a_month_are_two_turns() {
    let turns = turns(
        "UTC",
        "2026-01-01T00:00:00Z",
        &["a", "b"],
        HandOffs::Monthly(vec![(20, time(8, 0, 0, 0)), (13, time(12, 34, 0, 0))]),
    );
    assert_eq!(
        lines(&turns, &[], "2026-01-01T00:00:00Z", "2026-02-20T08:00:00Z"),
        [
            "2026-01-01T00:00:00Z 2026-01-13T12:34:00Z: a",
            "2026-01-13T12:34:00Z 2026-01-20T08:00:00Z: b",
            "2026-01-20T08:00:00Z 2026-02-13T12:34:00Z: a",
            "2026-02-13T12:34:00Z 2026-02-20T08:00:00Z: b",
        ]
    );
}

#[test]
fn a_day_that_a_month_lacks_is_its_last_day() {
    let turns = turns(
        "UTC",
        "2026-01-31T09:00:00Z",
        &["a", "b"],
        HandOffs::Monthly(vec![(31, nine()), (30, nine())]),
    );
    assert_eq!(
        lines(&turns, &[], "2026-01-31T09:00:00Z", "2026-04-01T00:00:00Z"),
        [
            // Both hand-offs of February fall on the 28th, and are one.
            "2026-01-31T09:00:00Z 2026-02-28T09:00:00Z: a",
            "2026-02-28T09:00:00Z 2026-03-30T09:00:00Z: b",
            "2026-03-30T09:00:00Z 2026-03-31T09:00:00Z: a",
            "2026-03-31T09:00:00Z 2026-04-30T09:00:00Z: b",
        ]
    );
}

#[test]
fn coverage_cuts_a_shift_and_may_run_past_midnight() {
    let mut turns = turns(
        "UTC",
        "2026-01-05T09:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![nine()]),
    );
    let mut week = Coverage::default();
    week.0[0] = vec![Hours {
        start: time(22, 0, 0, 0),
        end: time(6, 0, 0, 0),
    }];
    week.0[1] = vec![
        Hours {
            start: time(8, 0, 0, 0),
            end: time(10, 0, 0, 0),
        },
        Hours {
            start: time(10, 0, 0, 0),
            end: time(12, 0, 0, 0),
        },
    ];
    turns.coverage = Some(week);
    assert_eq!(
        lines(&turns, &[], "2026-01-05T09:00:00Z", "2026-01-12T00:00:00Z"),
        [
            "2026-01-05T22:00:00Z 2026-01-06T06:00:00Z: a",
            // Tuesday's window lies on both sides of the hand-off.
            "2026-01-06T08:00:00Z 2026-01-06T09:00:00Z: a",
            "2026-01-06T09:00:00Z 2026-01-06T12:00:00Z: b",
        ]
    );
    assert_eq!(turns.on_call(&[], at("2026-01-06T05:59:59Z")), ["a"]);
    assert!(turns.on_call(&[], at("2026-01-06T06:00:00Z")).is_empty());
    assert!(turns.on_call(&[], at("2026-01-05T08:00:00Z")).is_empty());
}

#[test]
fn hours_that_end_where_they_start_are_a_whole_day() {
    let mut turns = turns(
        "UTC",
        "2026-01-05T00:00:00Z",
        &["a"],
        HandOffs::Weekly(vec![(Weekday::Monday, time(0, 0, 0, 0))]),
    );
    let all_day = vec![Hours {
        start: Time::midnight(),
        end: Time::midnight(),
    }];
    turns.coverage = Some(Coverage(std::array::from_fn(|_| all_day.clone())));
    assert_eq!(
        lines(&turns, &[], "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
        ["2026-01-05T00:00:00Z 2026-01-12T00:00:00Z: a"]
    );
}

#[test]
fn a_wall_clock_hand_off_stays_put_when_clocks_change() {
    for (zone, start, shorter, longer) in [
        // Clocks go forward on 8 March and back on 1 November 2026.
        (
            "America/Los_Angeles",
            "2026-01-01T17:00:00Z",
            "2026-03-07T17:00:00Z 2026-03-08T16:00:00Z",
            "2026-10-31T16:00:00Z 2026-11-01T17:00:00Z",
        ),
        // 29 March and 25 October.
        (
            "Europe/Dublin",
            "2026-01-01T09:00:00Z",
            "2026-03-28T09:00:00Z 2026-03-29T08:00:00Z",
            "2026-10-24T08:00:00Z 2026-10-25T09:00:00Z",
        ),
        // Forward on 4 October, back on 5 April.
        (
            "Australia/Sydney",
            "2025-12-31T22:00:00Z",
            "2026-10-02T23:00:00Z 2026-10-03T22:00:00Z",
            "2026-04-03T22:00:00Z 2026-04-04T23:00:00Z",
        ),
    ] {
        let turns = turns(zone, start, &["a"], HandOffs::Daily(vec![nine()]));
        let all = lines(&turns, &[], "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z");
        for expected in [shorter, longer] {
            assert!(
                all.contains(&format!("{expected}: a")),
                "{zone}: {expected}"
            );
        }
    }
}

#[test]
fn a_time_in_a_gap_moves_forward_and_one_in_a_fold_is_the_earlier() {
    let half_past_one = time(1, 30, 0, 0);
    let half_past_two = time(2, 30, 0, 0);
    let gap = turns(
        "America/Los_Angeles",
        "2026-03-07T00:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![half_past_two]),
    );
    // 02:30 does not exist on 8 March: 03:30 PDT.
    assert!(
        lines(&gap, &[], "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z")
            .iter()
            .any(|line| line.starts_with("2026-03-08T10:30:00Z"))
    );
    let fold = turns(
        "America/Los_Angeles",
        "2026-10-31T00:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![half_past_one]),
    );
    // 01:30 exists twice on 1 November: the first is PDT.
    assert!(
        lines(&fold, &[], "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")
            .iter()
            .any(|line| line.starts_with("2026-11-01T08:30:00Z"))
    );
}

#[test]
fn hand_offs_that_a_gap_reverses_stay_in_order() {
    // 02:30 becomes 03:30, which is after the hand-off at 03:00.
    let turns = turns(
        "America/Los_Angeles",
        "2026-03-08T08:00:00Z",
        &["a", "b", "c"],
        HandOffs::Daily(vec![time(2, 30, 0, 0), time(3, 0, 0, 0)]),
    );
    assert_eq!(
        lines(&turns, &[], "2026-03-08T08:00:00Z", "2026-03-08T11:00:00Z"),
        [
            "2026-03-08T08:00:00Z 2026-03-08T10:00:00Z: a",
            "2026-03-08T10:00:00Z 2026-03-08T10:30:00Z: b",
            "2026-03-08T10:30:00Z 2026-03-09T09:30:00Z: c",
        ]
    );
}

#[test]
fn a_day_that_a_zone_skips_makes_one_hand_off_and_not_two() {
    let turns = turns(
        "Pacific/Apia",
        "2011-12-28T19:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![nine()]),
    );
    // 30 December 2011 did not happen in Samoa.
    assert_eq!(
        lines(&turns, &[], "2011-12-28T19:00:00Z", "2012-01-01T00:00:00Z"),
        [
            "2011-12-28T19:00:00Z 2011-12-29T19:00:00Z: a",
            "2011-12-29T19:00:00Z 2011-12-30T19:00:00Z: b",
            "2011-12-30T19:00:00Z 2011-12-31T19:00:00Z: a",
            "2011-12-31T19:00:00Z 2012-01-01T19:00:00Z: b",
        ]
    );
}

#[test]
fn several_on_call_advance_by_as_many_places() {
    let mut turns = turns(
        "UTC",
        "2026-01-05T09:00:00Z",
        &["a", "b", "c"],
        HandOffs::Daily(vec![nine()]),
    );
    turns.on_calls = 2;
    let who: Vec<String> = turns
        .shifts(&[], at("2026-01-05T09:00:00Z"), at("2026-01-09T09:00:00Z"))
        .map(|shift| shift.members.concat())
        .collect();
    assert_eq!(who, ["ab", "ca", "bc", "ab"]);
    turns.on_calls = 7;
    assert_eq!(
        turns.on_call(&[], at("2026-01-06T10:00:00Z")),
        ["a", "b", "c"]
    );
}

#[test]
fn an_override_cuts_the_shifts_it_covers_and_keeps_the_displaced() {
    let turns = turns(
        "UTC",
        "2026-01-05T09:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![nine()]),
    );
    let made = |who: &[&str], start: &str, end: &str, created: &str| Override {
        members: names(who),
        start: at(start),
        end: at(end),
        created: at(created),
    };
    let over_two = made(
        &["z"],
        "2026-01-06T00:00:00Z",
        "2026-01-07T00:00:00Z",
        "2026-01-01T00:00:00Z",
    );
    assert_eq!(
        lines(
            &turns,
            std::slice::from_ref(&over_two),
            "2026-01-05T09:00:00Z",
            "2026-01-07T09:00:00Z"
        ),
        [
            "2026-01-05T09:00:00Z 2026-01-06T00:00:00Z: a",
            "2026-01-06T00:00:00Z 2026-01-06T09:00:00Z: z (a)",
            "2026-01-06T09:00:00Z 2026-01-07T00:00:00Z: z (b)",
            "2026-01-07T00:00:00Z 2026-01-07T09:00:00Z: b",
        ]
    );
    // The later one rules where they overlap, whatever their order.
    let later = made(
        &["y"],
        "2026-01-06T03:00:00Z",
        "2026-01-06T04:00:00Z",
        "2026-01-02T00:00:00Z",
    );
    assert_eq!(
        lines(
            &turns,
            &[later, over_two],
            "2026-01-06T00:00:00Z",
            "2026-01-06T09:00:00Z"
        ),
        [
            "2026-01-06T00:00:00Z 2026-01-06T03:00:00Z: z (a)",
            "2026-01-06T03:00:00Z 2026-01-06T04:00:00Z: y (a)",
            "2026-01-06T04:00:00Z 2026-01-06T09:00:00Z: z (a)",
        ]
    );
}

#[test]
fn an_override_outside_the_covered_hours_changes_nothing() {
    let mut turns = turns(
        "UTC",
        "2026-01-05T00:00:00Z",
        &["a"],
        HandOffs::Daily(vec![Time::midnight()]),
    );
    let mut week = Coverage::default();
    week.0[0] = vec![Hours {
        start: nine(),
        end: time(17, 0, 0, 0),
    }];
    turns.coverage = Some(week);
    let night = Override {
        members: names(&["z"]),
        start: at("2026-01-05T18:00:00Z"),
        end: at("2026-01-05T23:00:00Z"),
        created: at("2026-01-01T00:00:00Z"),
    };
    assert_eq!(
        lines(
            &turns,
            &[night],
            "2026-01-05T00:00:00Z",
            "2026-01-12T00:00:00Z"
        ),
        ["2026-01-05T09:00:00Z 2026-01-05T17:00:00Z: a"]
    );
}

#[test]
fn a_shift_is_returned_whole_when_the_query_touches_it() {
    let turns = turns(
        "UTC",
        "2026-01-05T09:00:00Z",
        &["a", "b"],
        HandOffs::Daily(vec![nine()]),
    );
    let touched = ["2026-01-06T09:00:00Z 2026-01-07T09:00:00Z: b"];
    assert_eq!(
        lines(&turns, &[], "2026-01-06T10:00:00Z", "2026-01-06T11:00:00Z"),
        touched
    );
    assert_eq!(
        lines(&turns, &[], "2026-01-06T09:00:00Z", "2026-01-07T09:00:00Z"),
        touched
    );
}

#[test]
fn the_far_future_ends_without_a_panic() {
    let turns = turns(
        "UTC",
        "9999-12-01T00:00:00Z",
        &["a"],
        HandOffs::Daily(vec![nine()]),
    );
    assert!(turns.shifts(&[], turns.start, Timestamp::MAX).count() > 20);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn times() -> impl Strategy<Value = Time> {
        (0..24_i8, 0..60_i8).prop_map(|(hour, minute)| time(hour, minute, 0, 0))
    }

    fn days() -> impl Strategy<Value = Weekday> {
        (0..7_i8).prop_map(|day| Weekday::from_monday_zero_offset(day).unwrap())
    }

    fn hand_offs() -> impl Strategy<Value = HandOffs> {
        prop_oneof![
            prop::collection::vec(times(), 1..4).prop_map(HandOffs::Daily),
            prop::collection::vec((days(), times()), 1..4).prop_map(HandOffs::Weekly),
            prop::collection::vec((1..32_i8, times()), 1..4).prop_map(HandOffs::Monthly),
        ]
    }

    fn coverage() -> impl Strategy<Value = Option<Coverage>> {
        let hours = (times(), times()).prop_map(|(start, end)| Hours { start, end });
        prop::option::of(
            prop::array::uniform7(prop::collection::vec(hours, 0..3)).prop_map(Coverage),
        )
    }

    /// Moments of 2026, by the minute.
    fn moments() -> impl Strategy<Value = Timestamp> {
        (0..525_600_i64)
            .prop_map(|minute| Timestamp::from_second(1_767_225_600 + minute * 60).unwrap())
    }

    fn any_override() -> impl Strategy<Value = Override> {
        (moments(), 1..20_000_i64, moments()).prop_map(|(start, minutes, created)| Override {
            members: names(&["z"]),
            start,
            end: start.checked_add(Span::new().minutes(minutes)).unwrap(),
            created,
        })
    }

    prop_compose! {
        fn any_turns()(
            zone in prop::sample::select(vec![
                "UTC", "America/Los_Angeles", "Europe/Dublin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Tokyo",
            ]),
            start in moments(),
            count in 1..6_usize,
            on_calls in 1..4_usize,
            multiplier in 1..5_u32,
            hand_offs in hand_offs(),
            coverage in coverage(),
        ) -> Turns {
            Turns {
                zone: TimeZone::get(zone).unwrap(),
                start,
                members: (0..count).map(|n| n.to_string()).collect(),
                on_calls,
                multiplier,
                hand_offs,
                coverage,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn shifts_are_in_order_and_never_two_at_a_time(
            turns in any_turns(),
            overrides in prop::collection::vec(any_override(), 0..4),
        ) {
            let end = at("2027-03-01T00:00:00Z");
            let shifts: Vec<Shift> = turns.shifts(&overrides, Timestamp::MIN, end).collect();
            for pair in shifts.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
                prop_assert!(turns.coverage.is_some() || pair[0].end == pair[1].start);
            }
            for shift in &shifts {
                prop_assert!(turns.start <= shift.start && shift.start < shift.end);
                let regular = shift.displaced.as_ref().unwrap_or(&shift.members);
                prop_assert_eq!(regular.len(), turns.on_calls.min(turns.members.len()));
            }
        }

        #[test]
        fn a_later_question_gets_the_same_shifts(
            turns in any_turns(),
            overrides in prop::collection::vec(any_override(), 0..4),
            from in moments(),
        ) {
            let end = at("2027-03-01T00:00:00Z");
            let all = turns.shifts(&overrides, Timestamp::MIN, end).filter(|shift| from < shift.end);
            let later = turns.shifts(&overrides, from, end);
            prop_assert_eq!(all.collect::<Vec<_>>(), later.collect::<Vec<_>>());
        }

        #[test]
        fn whoever_is_on_call_has_the_shift(
            turns in any_turns(),
            overrides in prop::collection::vec(any_override(), 0..4),
            when in moments(),
        ) {
            let end = at("2027-03-01T00:00:00Z");
            let shift = turns
                .shifts(&overrides, Timestamp::MIN, end)
                .find(|shift| shift.start <= when && when < shift.end);
            let who = shift.map(|shift| shift.members).unwrap_or_default();
            prop_assert_eq!(turns.on_call(&overrides, when), who);
        }
    }
}
