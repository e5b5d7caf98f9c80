//! Samba as an Active Directory domain controller, which the Active Directory connector is proved against.
//!
//! Its ports are fixed (88, 389, 464, 636), so each controller has a loopback address of its own, and root is needed.
//! The domain is always `MESH.TEST` with a simple password policy. Making a domain takes seconds, so it is made once
//! on a machine and copied. It is read and changed with OpenLDAP's commands, which share no code with the product.
//! Samba is milder than Microsoft's controllers: it knows no limits of pages and ranges and takes passwords in the
//! open; what depends on those needs a fake.

mod commands;
mod domain;
mod options;
mod pair;
mod server;

pub use options::SambaAdOptions;
pub use server::SambaAd;
