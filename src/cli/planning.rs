//! What `plan`, `apply`, `drift` and `destroy` have in common: load, connect, observe, plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;

use super::answer::Progress;
use super::context::{Context, Session};
use super::render::progress::Phase;
use super::{saved, since};
use crate::engine::Event;
use crate::engine::fleet::{Rollout, Selection};
use crate::engine::run::{self, stack_name};
use crate::load::changed::Concerned;
use crate::model::plan::{Desired, Plan, Wish};
use crate::model::{Address, Place};
use crate::{kinds, load};

/// What documents want, the plan made from it, and the session to apply it in.
pub(super) struct Planned {
    /// Where each object is declared.
    pub(super) places: BTreeMap<Address, Place>,
    /// A hash of each document; none where no saved plan asks for them.
    pub(super) documents: BTreeMap<String, String>,
    pub(super) session: Session,
    pub(super) desired: Desired,
    pub(super) wish: Wish,
    pub(super) plan: Plan,
    /// Which places were asked for.
    pub(super) selection: Selection,
    /// After how many failed changes nothing new begins.
    pub(super) max_failures: Option<usize>,
}

impl Planned {
    /// Loads and plans; `None` when the documents are wrong, which has been told. With `saved` the documents are
    /// hashed, for a plan that is saved or was.
    pub(super) async fn make(
        context: &Context,
        paths: &[PathBuf],
        saved: bool,
        adjust: impl FnOnce(&mut Wish, &mut Selection),
    ) -> anyhow::Result<Option<Self>> {
        let Some(mut loaded) = context.load(paths)? else {
            return Ok(None);
        };
        // A stack without a document would be one that owns nothing any more, and a mistyped path is likelier.
        if loaded.stack.is_none() && loaded.objects.is_empty() && loaded.targets.is_empty() {
            bail!(
                "no document is declared here, so that there is nothing to compare AWS with\n\
                 hint: is this the right path? Where the last object shall go, leave the Stack document"
            );
        }
        // The files were right: no caret will be drawn in them any more, and they need not be held.
        loaded.sources = load::Sources::default();
        let mut wish = context.wish(&loaded);
        let mut selection = context.selection(&loaded);
        adjust(&mut wish, &mut selection);
        let (all, mut objects) = (wish.prune || wish.destroy, loaded.objects.iter());
        let narrowed = !wish.kinds.is_empty() || !wish.names.is_empty();
        if narrowed && !all && !objects.any(|object| wish.selects(&object.address)) {
            bail!(
                "no document declares what --kind and --name ask for\nhint: --name takes `metadata.name`"
            );
        }
        if let Some(revision) = &context.global.changed_since {
            let concerned = since::look(context, revision, paths, &loaded).await?;
            if let Concerned::Some { scope, targets } = concerned {
                wish.scope = Some(scope);
                selection.concerned = Some(targets);
            }
        }
        let session = context.connect(&loaded, &selection).await?;
        let documents = if saved {
            saved::documents(&loaded)
        } else {
            BTreeMap::new()
        };
        let kinds = wish
            .scope
            .as_ref()
            .map(|scope| scope.kinds(&kinds::specs()));
        if let Some(kinds) = &kinds {
            // What has no say in what becomes of the others need not be read, nor its personal values.
            loaded
                .objects
                .retain(|object| kinds.contains(&object.address.kind));
        }
        let sources = Context::sources();
        let stack = stack_name(&loaded);
        let mut desired = session.fleet.desired(&stack, &loaded, &sources).await;
        desired.kinds = kinds;
        // From here on only the places count: the texts are in what is desired, and need not be held twice.
        let objects = loaded.objects.into_iter();
        let places = objects
            .map(|object| (object.address, object.place))
            .collect();
        let plan = look(context, &session, &desired, &wish).await;
        Ok(Some(Self {
            places,
            documents,
            session,
            desired,
            wish,
            plan,
            selection,
            max_failures: None,
        }))
    }

    /// Returns the plan with what is needed to carry it out.
    pub(super) fn rollout(&self) -> Rollout<'_> {
        Rollout {
            plan: &self.plan,
            world: &self.session.world,
            desired: &self.desired,
            wish: &self.wish,
            max_failures: self.max_failures,
        }
    }

    /// Looks at AWS again, and plans anew; what is declared stays as it was read.
    pub(super) async fn again(&mut self, context: &Context) {
        self.plan = look(context, &self.session, &self.desired, &self.wish).await;
    }
}

/// Observes AWS and plans.
async fn look(context: &Context, session: &Session, desired: &Desired, wish: &Wish) -> Plan {
    let lists = session.world.places.len() * session.world.kinds.len();
    let places = session.world.places.keys().cloned().collect();
    let progress = Progress::begin(context, Phase::Reading(lists), places, false);
    let tell = |event: Event| progress.tell(&event);
    let plan = run::look(&session.fleet, &session.world, desired, wish, &tell).await;
    progress.end();
    context.remember(&session.connection);
    plan
}
