//! Declarative ops-as-code for AWS.
