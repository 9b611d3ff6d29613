//! Roles that administrators make: who gets what by them, and who may give what.

use prost_types::FieldMask;
use proto::identity::v1::{
    CreateClientRequest, CreateClientResponse, CreateRoleRequest, DeleteRoleRequest,
    GetRoleRequest, GetUserRequest, IntrospectTokenRequest, ListClientsRequest, ListRolesRequest,
    ListSecurityEventsRequest, ListUsersRequest, Role, Session, SetUserRolesRequest,
    UpdateRoleRequest, User, VerifyAuditLogRequest,
};
use serde_json::Value;
use testkit::{bearer, eventually, fields};
use tonic::{Code, Status};

use crate::world::{PASSWORD, World, login, me, refresh, refused, user_id};

impl World {
    async fn make(&self, token: &str, name: &str, permissions: &[&str]) -> Result<Role, Status> {
        let request = CreateRoleRequest {
            role_id: name.to_owned(),
            title: "Returns desk".to_owned(),
            description: String::new(),
            permissions: permissions.iter().map(ToString::to_string).collect(),
        };
        Ok(self.roles().create_role(bearer(request, token)).await?.into_inner())
    }

    /// Replaces what a role permits.
    async fn permit(
        &self,
        token: &str,
        name: &str,
        permissions: &[&str],
        revoke_sessions: bool,
    ) -> Result<Role, Status> {
        let permissions = permissions.iter().map(ToString::to_string).collect();
        let request = UpdateRoleRequest {
            role_id: name.to_owned(),
            role: Some(Role { permissions, ..Default::default() }),
            update_mask: Some(FieldMask { paths: vec!["permissions".to_owned()] }),
            revoke_sessions,
        };
        Ok(self.roles().update_role(bearer(request, token)).await?.into_inner())
    }

    async fn delete(&self, token: &str, name: &str) -> Result<(), Status> {
        let request = DeleteRoleRequest { role_id: name.to_owned() };
        self.roles().delete_role(bearer(request, token)).await.map(drop)
    }

    async fn give(
        &self,
        token: &str,
        to: &Session,
        roles: &[&str],
        revoke_sessions: bool,
    ) -> Result<User, Status> {
        let roles = roles.iter().map(ToString::to_string).collect();
        let user_id = user_id(to).to_string();
        let request = SetUserRolesRequest { user_id, roles, revoke_sessions };
        Ok(self.client().set_user_roles(bearer(request, token)).await?.into_inner())
    }

    async fn role(&self, token: &str, name: &str) -> Result<Role, Status> {
        let request = GetRoleRequest { role_id: name.to_owned() };
        Ok(self.roles().get_role(bearer(request, token)).await?.into_inner())
    }

    /// A method that asks for `users:read`.
    async fn look(&self, token: &str, role: &str) -> Result<Vec<User>, Status> {
        let request = ListUsersRequest { role: role.to_owned(), ..Default::default() };
        Ok(self.client().list_users(bearer(request, token)).await?.into_inner().users)
    }

    /// Registers an application with a secret and these roles.
    async fn application(
        &self,
        token: &str,
        roles: &[&str],
    ) -> Result<CreateClientResponse, Status> {
        let request = CreateClientRequest {
            display_name: "Warehouse".to_owned(),
            confidential: true,
            roles: roles.iter().map(ToString::to_string).collect(),
            ..Default::default()
        };
        Ok(self.applications().create_client(bearer(request, token)).await?.into_inner())
    }

    async fn events(&self, token: &str, of: &Session) -> Vec<(String, String)> {
        let request =
            ListSecurityEventsRequest { user_id: user_id(of).to_string(), ..Default::default() };
        let answer = self.security_as("tools").list_security_events(bearer(request, token)).await;
        let events = answer.unwrap().into_inner().events;
        events.into_iter().map(|event| (event.kind, event.detail)).collect()
    }
}

/// What a token says, whoever signed it.
fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn not_held<T: std::fmt::Debug>(answer: Result<T, Status>) {
    refused(answer, Code::PermissionDenied, "PERMISSION_NOT_HELD");
}

#[tokio::test]
async fn a_role_opens_what_it_permits_with_the_next_token_and_nothing_else() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    let ada = world.register("ada@example.com").await;
    let made = world.make(&admin, "help-desk", &["users:read", "audit:read"]).await.unwrap();
    assert_eq!(made.permissions, ["audit:read", "users:read"]);
    let user = world.give(&admin, &ada, &["help-desk", "customer"], false).await.unwrap();
    assert_eq!(user.roles, ["customer", "help-desk"]);

    assert!(world.look(&ada.access_token, "").await.is_err(), "not with the token of before");
    let ada = refresh(&client, &ada.refresh_token).await.unwrap();
    let said = claims(&ada.access_token);
    assert_eq!(said["roles"], serde_json::json!(["customer"]));
    assert_eq!(said["entitlements"], serde_json::json!(["audit:read", "users:read"]));
    let holders = world.look(&ada.access_token, "help-desk").await.unwrap();
    assert_eq!(
        holders.iter().map(|user| user.email.as_str()).collect::<Vec<_>>(),
        ["ada@example.com"]
    );
    let keys = bearer(proto::identity::v1::ListSigningKeysRequest {}, &ada.access_token);
    let keys = world.security_as("edge").list_signing_keys(keys).await;
    refused(keys, Code::PermissionDenied, "PERMISSION_DENIED");
    let request = IntrospectTokenRequest { token: ada.access_token.clone() };
    let told = world.security_as("tools").introspect_token(request).await.unwrap().into_inner();
    assert_eq!((told.roles, told.entitlements), (vec!["customer".to_owned()], made.permissions));

    // A change of the role counts with the next token, too; other tokens say nothing of it.
    world.permit(&admin, "help-desk", &["audit:read"], false).await.unwrap();
    assert!(world.look(&ada.access_token, "").await.is_ok());
    let ada = refresh(&client, &ada.refresh_token).await.unwrap();
    refused(world.look(&ada.access_token, "").await, Code::PermissionDenied, "PERMISSION_DENIED");
    assert!(claims(&admin).get("entitlements").is_none());
}

#[tokio::test]
async fn where_it_is_asked_for_a_change_counts_at_once() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    world.make(&admin, "help-desk", &["users:read"]).await.unwrap();
    let ada = world.register("ada@example.com").await;
    world.give(&admin, &ada, &["help-desk"], true).await.unwrap();
    let dead = refresh(&client, &ada.refresh_token).await;
    refused(dead, Code::Unauthenticated, "REFRESH_TOKEN_INVALID");

    let ada = login(&client, "ada@example.com", PASSWORD).await.unwrap();
    assert!(world.look(&ada.access_token, "").await.is_ok());
    world.permit(&admin, "help-desk", &["audit:read"], true).await.unwrap();
    let request = IntrospectTokenRequest { token: ada.access_token.clone() };
    let told = world.security_as("tools").introspect_token(request).await.unwrap().into_inner();
    assert!(!told.active, "introspection tells at once");
    eventually("the token that is out opens nothing", async || {
        let status = world.look(&ada.access_token, "").await.err()?;
        (testkit::reason(&status) == "TOKEN_INVALID").then_some(())
    })
    .await;
    let ada = login(&client, "ada@example.com", PASSWORD).await.unwrap();
    refused(world.look(&ada.access_token, "").await, Code::PermissionDenied, "PERMISSION_DENIED");
}

#[tokio::test]
async fn nobody_gives_or_takes_what_they_do_not_hold() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    let desk = ["users:read", "users:write", "roles:read", "roles:write", "clients:write"];
    world.make(&admin, "desk", &desk).await.unwrap();
    world.make(&admin, "keeper", &["keys:read"]).await.unwrap();
    let ada = world.register("ada@example.com").await;
    let grace = world.register("grace@example.com").await;
    world.give(&admin, &ada, &["desk"], false).await.unwrap();
    let ada = refresh(&client, &ada.refresh_token).await.unwrap();
    let token = ada.access_token.as_str();

    // Their own role, another's, a new one, somebody's, an application's.
    not_held(world.permit(token, "desk", &[&desk[..], &["keys:read"]].concat(), false).await);
    not_held(world.permit(token, "keeper", &["users:read"], false).await);
    not_held(world.make(token, "mine", &["users:read", "payments:refund"]).await);
    not_held(world.give(token, &ada, &["desk", "keeper"], false).await);
    not_held(world.give(token, &grace, &["admin"], false).await);
    not_held(world.give(token, &grace, &["customer", "manager"], false).await);
    not_held(world.delete(token, "keeper").await);
    not_held(world.application(token, &["keeper"]).await);
    not_held(world.application(token, &["admin"]).await);
    // Nor is anything taken from somebody who is more powerful.
    world.give(&admin, &grace, &["keeper", "customer"], false).await.unwrap();
    not_held(world.give(token, &grace, &["customer"], false).await);

    // What they hold they give and take.
    world.make(token, "reader", &["users:read"]).await.unwrap();
    let both = world.give(token, &grace, &["customer", "keeper", "reader"], false).await.unwrap();
    assert_eq!(both.roles, ["customer", "keeper", "reader"]);
    world.give(token, &grace, &["customer", "keeper"], false).await.unwrap();
    world.delete(token, "reader").await.unwrap();

    // And only as long as they hold it, whatever their token says.
    world.give(&admin, &ada, &["customer"], false).await.unwrap();
    not_held(world.make(token, "late", &["users:read"]).await);
}

#[tokio::test]
async fn permissions_are_the_contracts_and_names_are_free_and_slugs() {
    let world = World::start().await;
    let admin = world.admin_token().await;
    let unknown = world.make(&admin, "desk", &["users:read", "users:everything"]).await;
    let status = refused(unknown, Code::InvalidArgument, "PERMISSION_UNKNOWN");
    assert_eq!(fields(&status), ["permissions"]);
    refused(
        world.make(&admin, "manager", &["users:read"]).await,
        Code::AlreadyExists,
        "ROLE_EXISTS",
    );
    for name in ["Desk", "desk-", "-desk", "de sk", "d", "1desk", "desk--a", "de/sk"] {
        let answer = world.make(&admin, name, &["users:read"]).await;
        refused(answer, Code::InvalidArgument, "VALIDATION_FAILED");
    }
    world.make(&admin, "desk", &["users:read"]).await.unwrap();
    refused(world.make(&admin, "desk", &["users:read"]).await, Code::AlreadyExists, "ROLE_EXISTS");
    let none = world.permit(&admin, "desk", &[], false).await;
    refused(none, Code::InvalidArgument, "VALIDATION_FAILED");
    let built_in = world.permit(&admin, "customer", &["users:read"], false).await;
    refused(built_in, Code::FailedPrecondition, "ROLE_BUILT_IN");
    refused(world.delete(&admin, "admin").await, Code::FailedPrecondition, "ROLE_BUILT_IN");
    refused(world.role(&admin, "nothing").await, Code::NotFound, "ROLE_NOT_FOUND");
    let nothing = world.permit(&admin, "nothing", &["users:read"], false).await;
    refused(nothing, Code::NotFound, "ROLE_NOT_FOUND");
}

#[tokio::test]
async fn a_role_that_somebody_has_is_not_taken_away() {
    let world = World::start().await;
    let admin = world.admin_token().await;
    world.make(&admin, "desk", &["users:read"]).await.unwrap();
    let ada = world.register("ada@example.com").await;
    world.give(&admin, &ada, &["desk"], false).await.unwrap();
    let application = world.application(&admin, &["desk", "customer"]).await.unwrap();
    let application = application.client.unwrap();
    assert_eq!(application.roles, ["customer", "desk"]);
    let role = world.role(&admin, "desk").await.unwrap();
    assert_eq!((role.user_count, role.client_count, role.built_in), (1, 1, false));
    refused(world.delete(&admin, "desk").await, Code::FailedPrecondition, "ROLE_IN_USE");
    world.give(&admin, &ada, &["customer"], false).await.unwrap();
    refused(world.delete(&admin, "desk").await, Code::FailedPrecondition, "ROLE_IN_USE");
    let client_id = application.client_id;
    let gone = proto::identity::v1::DeleteClientRequest { client_id };
    world.applications().delete_client(bearer(gone, &admin)).await.unwrap();
    world.delete(&admin, "desk").await.unwrap();
    refused(world.delete(&admin, "desk").await, Code::NotFound, "ROLE_NOT_FOUND");

    let roles = world.roles().list_roles(bearer(ListRolesRequest {}, &admin)).await.unwrap();
    let roles = roles.into_inner().roles;
    assert!(roles.iter().all(|role| role.built_in && !role.permissions.is_empty()));
    let customers = roles.iter().find(|role| role.role_id == "customer").unwrap();
    assert_eq!((customers.user_count, customers.client_count), (1, 0));
}

#[tokio::test]
async fn the_log_says_who_gave_which_roles_and_the_chain_covers_it() {
    let world = World::start().await;
    let admin = login(&world.client(), crate::world::ADMIN_EMAIL, PASSWORD).await.unwrap();
    let token = admin.access_token.as_str();
    let ada = world.register("ada@example.com").await;
    world.make(token, "desk", &["users:read"]).await.unwrap();
    world.give(token, &ada, &["customer", "desk"], false).await.unwrap();
    world.permit(token, "desk", &["audit:read", "users:read"], false).await.unwrap();
    world.give(token, &ada, &["customer"], false).await.unwrap();
    world.delete(token, "desk").await.unwrap();

    let event = |kind: &str, detail: &str| (kind.to_owned(), detail.to_owned());
    let of_ada = world.events(token, &ada).await;
    assert_eq!(
        of_ada[..2],
        [event("roles.changed", "customer"), event("roles.changed", "customer, desk")]
    );
    let of_admin = world.events(token, &admin).await;
    assert_eq!(
        of_admin[..5],
        [
            event("role.deleted", "desk"),
            event("roles.given", "customer"),
            event("role.changed", "desk: audit:read, users:read"),
            event("roles.given", "customer, desk"),
            event("role.created", "desk: users:read"),
        ]
    );
    let verify = async || {
        let request = bearer(VerifyAuditLogRequest {}, token);
        world.security_as("tools").verify_audit_log(request).await.unwrap().into_inner()
    };
    assert!(verify().await.intact);
    // As somebody who owns the database.
    for sql in [
        "alter table security_events disable trigger user",
        "update security_events set detail = 'admin' where kind = 'roles.given'",
    ] {
        sqlx::query(sql).execute(world.pool()).await.unwrap();
    }
    assert!(!verify().await.intact);
}

#[tokio::test]
async fn a_closed_account_leaves_its_roles() {
    let world = World::start().await;
    let admin = world.admin_token().await;
    world.make(&admin, "desk", &["users:read"]).await.unwrap();
    let ada = world.register("ada@example.com").await;
    world.give(&admin, &ada, &["desk"], false).await.unwrap();
    let close = proto::identity::v1::CloseAccountRequest { current_password: PASSWORD.to_owned() };
    world.accounts().close_account(bearer(close, &ada.access_token)).await.unwrap();
    assert_eq!(world.role(&admin, "desk").await.unwrap().user_count, 0);
    world.delete(&admin, "desk").await.unwrap();
    let gone = bearer(GetUserRequest { user_id: user_id(&ada).to_string() }, &admin);
    refused(world.client().get_user(gone).await, Code::NotFound, "USER_NOT_FOUND");
    assert!(me(&world.client(), &admin).await.is_ok());
}

#[tokio::test]
async fn a_column_that_the_next_release_adds_to_each_table_disturbs_nobody() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    // Often enough for every connection that is open to be used.
    let work = async |when: &str| {
        for round in 0..4 {
            let (email, desk) =
                (format!("{when}{round}@example.com"), format!("desk-{when}{round}"));
            let ada = world.register(&email).await;
            login(&client, &email, PASSWORD).await.unwrap();
            let home = world.moves_in(&ada, "1 First").await;
            assert_eq!(world.book(&ada).await.len(), 1);
            world.remove_address(&ada, &home.address_id).await.unwrap();
            world.make(&admin, &desk, &["users:read"]).await.unwrap();
            world.permit(&admin, &desk, &["audit:read"], false).await.unwrap();
            world.role(&admin, &desk).await.unwrap();
            world.application(&admin, &[]).await.unwrap();
            let roles = bearer(ListRolesRequest::default(), &admin);
            world.roles().list_roles(roles).await.unwrap();
            let applications = bearer(ListClientsRequest::default(), &admin);
            world.applications().list_clients(applications).await.unwrap();
            world.give(&admin, &ada, &[&desk], false).await.unwrap();
            refresh(&client, &ada.refresh_token).await.unwrap();
            assert!(!world.events(&admin, &ada).await.is_empty());
            let whole = bearer(VerifyAuditLogRequest {}, &admin);
            world.security_as("tools").verify_audit_log(whole).await.unwrap();
        }
    };
    work("before").await;
    world.database.widen().await;
    work("after").await;
}
