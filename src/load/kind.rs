//! The kinds, each with its schema.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::reserved::RESERVED;
use super::stack::StackSpec;
use super::target::TargetSpec;
use crate::model::schema::Schema;
use crate::model::{AnySpec, Erased};

/// A kind with its schema, which is compiled when the first document needs it.
pub(super) struct Kind<'k> {
    pub(super) spec: &'k dyn AnySpec,
    schema: OnceLock<Schema>,
    /// Fields that the loader takes off; empty for Stack and Target, which have none of them.
    pub(super) reserved: &'static [&'static str],
}

impl Kind<'_> {
    pub(super) fn schema(&self) -> &Schema {
        self.schema
            .get_or_init(|| Schema::compile(&self.spec.schema(), self.reserved))
    }
}

static STACK: Erased<StackSpec> = Erased::new();
static TARGET: Erased<TargetSpec> = Erased::new();

/// Returns the kinds that configure Stationbill itself and manage nothing in AWS.
pub fn configuration() -> [&'static dyn AnySpec; 2] {
    [&STACK, &TARGET]
}

/// Returns the kinds by name, `Stack` and `Target` among them.
pub(super) fn kinds<'k>(kinds: &[&'k dyn AnySpec]) -> BTreeMap<&'static str, Kind<'k>> {
    let kind = |spec: &'k dyn AnySpec, reserved| Kind {
        spec,
        schema: OnceLock::new(),
        reserved,
    };
    let mut all: BTreeMap<_, _> = kinds
        .iter()
        .map(|spec| (spec.kind(), kind(*spec, RESERVED)))
        .collect();
    all.insert(STACK.kind(), kind(&STACK, &[]));
    all.insert(TARGET.kind(), kind(&TARGET, &[]));
    all
}
