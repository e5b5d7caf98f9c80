//! What a server says about itself: its root entry, its schema, and so the object types.

use std::collections::HashSet;
use std::sync::Arc;

use identitymesh_connector::{Class, ConnectorError};
use identitymesh_model::{Name, Schema};

use super::catalog::Catalog;
use super::type_map::TypeMap;
use crate::error;
use crate::result;
use crate::settings::Config;
use crate::transport::{Entry, Search, Transport};

pub(crate) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
pub(crate) const ASSERTION: &str = "1.3.6.1.1.12";
pub(crate) const POST_READ: &str = "1.3.6.1.1.13.2";

/// One server with the object types of the configuration.
pub(crate) struct Directory {
    /// Product and version, as far as it says.
    pub(crate) server: String,
    controls: HashSet<String>,
    types: Vec<Arc<TypeMap>>,
}

impl Directory {
    /// Asks the server.
    pub(crate) async fn load(
        transport: &dyn Transport,
        config: &Config,
        configured: Option<&Schema>,
    ) -> Result<Self, ConnectorError> {
        let wanted = ["supportedControl", "vendorName", "vendorVersion", "subschemaSubentry", "objectClass"];
        let root = one(transport, "reading what the server is", "", &wanted).await?;
        let subschema = root.texts("subschemaSubentry").next().unwrap_or("cn=Subschema").to_owned();
        let entry =
            one(transport, "reading the schema", &subschema, &["attributeTypes", "objectClasses"]).await?;
        let catalog = Catalog::new(&entry);
        if catalog.is_empty() {
            return Err(ConnectorError::new(
                error::SCHEMA,
                Class::Denied,
                format!("{subschema} shows no definitions"),
            )
            .advice("let the bind account read the schema entry"));
        }
        let types = config.types.iter().map(|one| {
            let known = configured.and_then(|schema| schema.object_type(one.name));
            let classes = one.object_class.iter().chain(&one.extra_object_class);
            match classes.into_iter().find(|class| !catalog.has_class(class)) {
                Some(class) if known.is_none() => Err(unknown_class(one.name, class)),
                _ => Ok(Arc::new(TypeMap::new(one.clone(), &config.external_id, &catalog, known))),
            }
        });
        Ok(Self {
            server: product(&root),
            controls: root.texts("supportedControl").map(str::to_owned).collect(),
            types: types.collect::<Result<_, _>>()?,
        })
    }

    /// Whether the server offers a control.
    pub(crate) fn offers(&self, control: &str) -> bool {
        self.controls.contains(control)
    }

    /// An object type of the configuration.
    pub(crate) fn object_type(&self, name: Name) -> Result<&Arc<TypeMap>, ConnectorError> {
        self.types.iter().find(|one| one.config.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.types.iter().map(|one| one.config.name.as_str()).collect();
            ConnectorError::new(
                error::UNKNOWN_TYPE,
                Class::Configuration,
                format!("{name} is no object type here"),
            )
            .advice(format!("add [settings.types.{name}], or use one of {}", known.join(", ")))
        })
    }

    /// The schema of all types.
    pub(crate) fn schema(&self) -> Schema {
        Schema { object_types: self.types.iter().map(|one| one.schema.clone()).collect() }
    }
}

fn unknown_class(object_type: Name, class: &str) -> ConnectorError {
    let message = format!("the server knows no object class {class}, which {object_type} needs");
    ConnectorError::new(error::SCHEMA, Class::Configuration, message)
        .advice("load the schema with this class into the server, or name another class in `types`")
}

fn product(root: &Entry) -> String {
    let said: Vec<&str> = root.texts("vendorName").chain(root.texts("vendorVersion")).collect();
    if said.is_empty() && root.texts("objectClass").any(|class| class == "OpenLDAProotDSE") {
        return "OpenLDAP".to_owned();
    }
    if said.is_empty() { "an LDAP server that does not say what it is".to_owned() } else { said.join(" ") }
}

async fn one(
    transport: &dyn Transport,
    what: &str,
    dn: &str,
    attributes: &[&str],
) -> Result<Entry, ConnectorError> {
    let attributes = attributes.iter().map(|name| (*name).to_owned()).collect();
    let found = transport
        .search(&Search::entry(dn, attributes))
        .await
        .map_err(|failure| error::no_answer(what, failure))?;
    if found.answer.code != result::SUCCESS {
        return Err(error::search_refused(what, dn, &found.answer));
    }
    let mut entries = found.entries;
    match (entries.pop(), entries.is_empty()) {
        (Some(entry), true) => Ok(entry),
        _ => Err(ConnectorError::new(
            error::SCHEMA,
            Class::Denied,
            format!("{what}: the server shows nothing at {dn:?}"),
        )
        .advice("let the bind account read the root entry and the schema entry")),
    }
}
