//! A door to the broker.

use events::BrokerConfig;
use testkit::{Door, Way};

use crate::world::{World, broker_at};

/// A door to the world's broker, and the broker as it is reached through it. Its
/// silence is noticed soon.
pub async fn broker_behind_door(world: &World, way: Way) -> (Door, BrokerConfig) {
    let (user, place) = world.amqp_url.rsplit_once('@').expect("an AMQP URL with a user");
    let (broker, vhost) = place.split_once('/').expect("an AMQP URL with a virtual host");
    let (_, port) = broker.rsplit_once(':').expect("an AMQP URL with a port");
    let door = Door::to(port.parse().expect("a port")).await.expect("a free port");
    door.set(way);
    let config = broker_at(&format!("{user}@{}/{vhost}?heartbeat=1", door.addr()));
    (door, config)
}
