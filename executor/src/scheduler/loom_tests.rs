//! Models of idle protocol, duty and next slot.
