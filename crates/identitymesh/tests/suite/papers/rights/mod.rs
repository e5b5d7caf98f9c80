//! "Exactly the rights it needs": a page's rights, given on a real server as the page says, suffice for everything that
//! the product does there, and for nothing that the page rules out.

mod active_directory;
mod ds389;
mod mesh;
mod openldap;
mod story;
