//! The Kubernetes side: so far the custom resource definitions, generated from the kinds.

pub mod crd;
