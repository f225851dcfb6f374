//! Many accounts and regions in one run.

mod company;
mod organization;
mod stages;
mod thin;
