//! What a server says about itself: its root entry, its schema, and so the object types.

use std::collections::HashSet;
use std::sync::Arc;

use identitymesh_connector::{Class, ConnectorError};
use identitymesh_model::{Name, Schema, dn};

use super::catalog::Catalog;
use super::type_map::TypeMap;
use crate::dialect::{Dialect, active_directory};
use crate::error;
use crate::result;
use crate::settings::{Changes, Config, Family};
use crate::transport::{Entry, Search, Transport};
use crate::value::Form;

pub(crate) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
pub(crate) const ASSERTION: &str = "1.3.6.1.1.12";
pub(crate) const POST_READ: &str = "1.3.6.1.1.13.2";
/// Naming contexts below the base, which other servers hold, are not mentioned.
pub(crate) const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";
/// Values that are there already, or are not there to be taken out, are no error.
pub(crate) const PERMISSIVE_MODIFY: &str = "1.2.840.113556.1.4.1413";

/// What a root entry is asked for: operational attributes come only by name, and "+" is not known everywhere.
const ROOT_ATTRIBUTES: [&str; 22] = [
    "*",
    "+",
    "objectClass",
    "vendorName",
    "vendorVersion",
    "supportedControl",
    "supportedExtension",
    "supportedFeatures",
    "supportedCapabilities",
    "supportedSASLMechanisms",
    "subschemaSubentry",
    "namingContexts",
    "defaultNamingContext",
    "rootDomainNamingContext",
    "configurationNamingContext",
    "schemaNamingContext",
    "dsServiceName",
    "dnsHostName",
    "highestCommittedUSN",
    "changelog",
    "firstChangeNumber",
    "lastChangeNumber",
];

/// One server with the object types of the configuration.
pub(crate) struct Directory {
    /// Product and version, as far as it says.
    pub(crate) server: String,
    /// The family that it belongs to.
    pub(crate) dialect: Dialect,
    /// What it says about itself.
    pub(crate) root: Entry,
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
        let root = one(transport, "reading what the server is", "", &ROOT_ATTRIBUTES).await?;
        let dialect = Dialect::of(&root);
        if config.family == Family::ActiveDirectory && dialect != Dialect::ActiveDirectory {
            return Err(other_server(dialect));
        }
        if config.changes == Changes::AccessLog && dialect != Dialect::OpenLdap {
            return Err(no_access_log(dialect));
        }
        let facts = dialect.facts();
        let external_id = match &config.external_id {
            Some(name) if !name.eq_ignore_ascii_case(facts.external_id) => (name.as_str(), Form::Plain),
            _ => (facts.external_id, facts.external_id_form),
        };
        let catalog = match dialect {
            Dialect::ActiveDirectory => active_directory::schema::load(transport, &root).await?,
            _ => subschema(transport, &root).await?.keeping_in_step(&config.refint_attributes),
        };
        if catalog.is_empty() {
            let message = "the server shows no definitions of classes and attributes";
            return Err(ConnectorError::new(error::SCHEMA, Class::Denied, message)
                .advice("let the bind account read the schema"));
        }
        let types = config.types.iter().map(|one| {
            let known = configured.and_then(|schema| schema.object_type(one.name));
            let classes = one.object_class.iter().chain(&one.extra_object_class);
            match classes.into_iter().find(|class| !catalog.has_class(class)) {
                Some(class) if known.is_none() => Err(unknown_class(one.name, class)),
                _ => Ok(Arc::new(TypeMap::new(one.clone(), external_id, &catalog, known))),
            }
        });
        Ok(Self {
            server: product(&root, dialect),
            dialect,
            controls: root.texts("supportedControl").map(str::to_owned).collect(),
            types: types.collect::<Result<_, _>>()?,
            root,
        })
    }

    /// Whether the server offers a control.
    pub(crate) fn offers(&self, control: &str) -> bool {
        self.controls.contains(control)
    }

    /// The naming context that holds an entry of this name.
    pub(crate) fn context<'a>(&'a self, name: &'a str) -> &'a str {
        let contexts = self.root.texts("namingContexts");
        contexts
            .filter(|context| dn::is_within(name, context))
            .max_by_key(|context| context.len())
            .unwrap_or(name)
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

    /// All types.
    pub(crate) fn types(&self) -> Vec<Arc<TypeMap>> {
        self.types.clone()
    }

    /// The schema of all types.
    pub(crate) fn schema(&self) -> Schema {
        Schema { object_types: self.types.iter().map(|one| one.schema.clone()).collect() }
    }
}

async fn subschema(transport: &dyn Transport, root: &Entry) -> Result<Catalog, ConnectorError> {
    let name = root.texts("subschemaSubentry").next().unwrap_or("cn=Subschema").to_owned();
    let entry = one(transport, "reading the schema", &name, &["attributeTypes", "objectClasses"]).await?;
    Ok(Catalog::new(&entry))
}

fn other_server(dialect: Dialect) -> ConnectorError {
    let message = format!("the server is {} and no Active Directory", dialect.facts().title);
    ConnectorError::new(error::OTHER_SERVER, Class::Configuration, message)
        .advice("use the connector type \"ldap\", or check the addresses in `servers`")
}

fn no_access_log(dialect: Dialect) -> ConnectorError {
    let message =
        format!("changes = \"accesslog\" is for OpenLDAP, and the server is {}", dialect.facts().title);
    ConnectorError::new(error::OTHER_SERVER, Class::Configuration, message)
        .advice("leave `changes` out: the way that this server has is found by itself")
}

fn unknown_class(object_type: Name, class: &str) -> ConnectorError {
    let message = format!("the server knows no object class {class}, which {object_type} needs");
    ConnectorError::new(error::SCHEMA, Class::Configuration, message)
        .advice("load the schema with this class into the server, or name another class in `types`")
}

fn product(root: &Entry, dialect: Dialect) -> String {
    let said: Vec<&str> = root.texts("vendorName").chain(root.texts("vendorVersion")).collect();
    match (said.is_empty(), dialect) {
        (true, Dialect::Plain) => "an LDAP server that does not say what it is".to_owned(),
        (true, dialect) => dialect.facts().title.to_owned(),
        (false, Dialect::ActiveDirectory) => format!("{}: {}", dialect.facts().title, said.join(" ")),
        (false, _) => said.join(" "),
    }
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
