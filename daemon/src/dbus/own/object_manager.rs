//! `org.freedesktop.DBus.ObjectManager` at the root. The library's own announces a plug with one signal for each
//! interface; clients then see half an object. Ours is told by the publisher, once for each plug.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use zbus::names::InterfaceName;
use zbus::object_server::SignalEmitter;
use zbus::{Connection as Bus, ObjectPath, OwnedObjectPath, OwnedVariant, Variant, fdo};

use crate::dbus::publish;

/// Numbers of the modems that are announced.
#[derive(Clone, Debug, Default)]
pub(in crate::dbus) struct Objects(Arc<Mutex<BTreeSet<u32>>>);

impl Objects {
    pub(in crate::dbus) fn insert(&self, number: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }

    pub(in crate::dbus) fn remove(&self, number: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    fn list(&self) -> Vec<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// The list of objects.
pub(crate) struct ObjectManager(pub(in crate::dbus) Objects);

type Interfaces = HashMap<InterfaceName<'static>, HashMap<String, OwnedVariant>>;

#[zbus::interface(name = "org.freedesktop.DBus.ObjectManager", introspection_docs = false)]
impl ObjectManager {
    #[zbus(out_args("objpath_interfaces_and_properties"))]
    async fn get_managed_objects(
        &self,
        #[zbus(connection)] bus: &Bus,
    ) -> fdo::Result<HashMap<OwnedObjectPath, Interfaces>> {
        let mut objects = HashMap::new();
        for number in self.0.list() {
            // One that went meanwhile is left out; its removal is announced.
            if let Ok(interfaces) = publish::interfaces(bus, number).await {
                objects.insert(dbus_api::path::modem(number), interfaces);
            }
        }
        Ok(objects)
    }

    #[zbus(signal)]
    pub(in crate::dbus) async fn interfaces_added(
        emitter: &SignalEmitter<'_>,
        object_path: ObjectPath<'_>,
        interfaces_and_properties: HashMap<InterfaceName<'_>, HashMap<&str, Variant<'_>>>,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(in crate::dbus) async fn interfaces_removed(
        emitter: &SignalEmitter<'_>,
        object_path: ObjectPath<'_>,
        interfaces: Cow<'_, [InterfaceName<'_>]>,
    ) -> zbus::Result<()>;
}
