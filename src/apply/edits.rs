//! Steps that change the state only. They come before anything is sent.

use super::engine::Engine;
use super::outcome::Outcome;
use crate::plan::{Action, Step};
use crate::state::journal::Edit;
use crate::state::{Origin, Record, Status};

impl<C> Engine<'_, '_, C> {
    /// Carries out everything that changes the state only.
    pub(super) fn record_edits(&mut self) {
        for at in 0..self.steps.len() {
            if self.stopping.is_some() {
                return;
            }
            let step = self.steps[at];
            for (doing, edit) in self.edits(step) {
                if !self.edit(doing, edit) {
                    return;
                }
            }
            let changes_state_only = match step.action {
                // A step that waits, or that is to be resolved, is a change when its address is new.
                Action::Forget
                | Action::Import
                | Action::Move
                | Action::Resolve
                | Action::Wait
                | Action::NoOp => true,
                Action::Update => step.renames().is_none(),
                Action::Create | Action::Replace | Action::Destroy => false,
            };
            if changes_state_only {
                self.finish(at, Outcome::Recorded);
            }
        }
    }

    fn edits(&self, step: &Step) -> Vec<(&'static str, Edit)> {
        let address = step.address.clone();
        let mut edits = Vec::new();
        if let Some(from) = step.previous_address.clone() {
            let to = address.clone();
            edits.push(("moved", Edit::Move { from, to }));
        }
        match step.action {
            Action::Forget => edits.push(("removed", Edit::current(address, None))),
            Action::Import => edits
                .extend(self.imported(step).map(|record| ("import", Edit::current(address, Some(record))))),
            // The record of what is replaced or destroyed keeps its protection.
            Action::Create | Action::Replace | Action::Destroy | Action::Resolve => {}
            Action::Update | Action::Move | Action::Wait | Action::NoOp => {
                if let Some(record) = self.recorded(step).filter(|_| step.changes_protection()) {
                    let record = Record { prevent_destroy: step.prevent_destroy, ..record };
                    edits.push(("prevent_destroy", Edit::current(address, Some(record))));
                }
            }
        }
        edits
    }

    fn imported(&self, step: &Step) -> Option<Record> {
        let adoption = self.parts.adoptions.get(&step.address)?;
        let environment = &adoption.environment;
        Some(Record {
            status: Status::Created,
            env_id: Some(environment.env_id.clone()),
            tran_id: adoption.tran_id.clone(),
            request_id: None,
            origin: Origin::Imported,
            attributes: adoption.attributes.clone(),
            ordered_at: self.parts.clock.now(),
            run: self.run,
            source: step.source.clone(),
            region: environment.region.clone(),
            prevent_destroy: step.prevent_destroy,
            deposed_at: None,
        })
    }
}
