//! Many accounts and regions in one run.

mod company;
mod once;
mod organization;
mod stages;
mod thin;
