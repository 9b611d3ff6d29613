//! Situations in which what people and operators do about accounts succeeds.

use serde_json::{Value, json};
use time::OffsetDateTime;
use totp_rs::{Algorithm, Secret, TOTP};
use uuid::Uuid;

use super::world::{Situation, World, anybody, of, unknown};
use crate::client::Customer;
use crate::platform::eventually;
use e2e::world::postal_address;

impl World<'_> {
    pub(super) async fn of_account(&self, short: &str) -> Situation {
        let customer = self.platform.anonymous().register().await;
        let password = json!({"current_password": customer.password});
        match short {
            "AccountService/RequestEmailVerification" => {
                // The mail of the registration was a while ago.
                self.age_mails().await;
                of(&customer, json!({}))
            }
            "AccountService/VerifyEmail" => {
                let token = self.mailed(&customer, "verify-email").await;
                anybody(json!({"token": token}))
            }
            "AccountService/RequestPasswordReset" => anybody(json!({"email": customer.email})),
            "AccountService/ResetPassword" => {
                let request = json!({"email": customer.email});
                let client = self.platform.anonymous();
                client.post("/v1/auth/request-password-reset", request).await.ok();
                let token = self.mailed(&customer, "reset-password").await;
                anybody(json!({"token": token, "new_password": "a new and better one"}))
            }
            "AccountService/ChangePassword" => of(
                &customer,
                json!({"current_password": customer.password, "new_password": "a new and better one"}),
            ),
            "AccountService/ListSessions" => of(&customer, json!({})),
            "AccountService/ExportMe" => {
                self.greeted(&customer).await;
                of(&customer, json!({}))
            }
            "AccountService/RevokeSession" => {
                let sessions = customer.client.get("/v1/users/me/sessions").await.ok();
                of(&customer, json!({"session_id": sessions["sessions"][0]["session_id"]}))
            }
            "AccountService/EnrollSecondFactor" | "AccountService/CloseAccount" => {
                of(&customer, password)
            }
            "AccountService/ConfirmSecondFactor" => {
                let app = enroll(&customer).await;
                of(&customer, json!({"code": app.generate(now())}))
            }
            "AccountService/RemoveSecondFactor" => {
                let app = enroll(&customer).await;
                let confirm = json!({"code": app.generate(now())});
                let path = "/v1/users/me/second-factor:confirm";
                let codes = customer.client.post(path, confirm).await.ok();
                let (current, code) = (&customer.password, &codes["codes"][0]);
                of(&customer, json!({"current_password": current, "code": code}))
            }
            other => unknown(other),
        }
    }

    pub(super) async fn of_security(&self, short: &str) -> Situation {
        match short {
            "SecurityService/ListSigningKeys" => self.of_admin(json!({})),
            "SecurityService/RotateSigningKeys" => {
                eventually("the newest key signs", async || {
                    let keys = self.platform.admin.client.get("/v1/signing-keys").await.ok();
                    (keys["keys"][0]["state"] == "SIGNING_KEY_STATE_SIGNING").then_some(())
                })
                .await;
                self.of_admin(json!({"reason": "somebody left"}))
            }
            "SecurityService/ListSecurityEvents" => {
                let customer = self.platform.anonymous().register().await;
                let id = &customer.session["user"]["user_id"];
                self.of_admin(json!({"user_id": id, "page_size": 3}))
            }
            "SecurityService/VerifyAuditLog" => self.of_admin(json!({})),
            other => unknown(other),
        }
    }

    pub(super) async fn of_clients(&self, short: &str) -> Situation {
        match short {
            "ClientService/CreateClient" => self.of_admin(json!({
                "display_name": "Gift finder",
                "redirect_uris": ["https://gifts.example/callback"],
                "confidential": true,
            })),
            "ClientService/ListClients" => self.of_admin(json!({})),
            "ClientService/DeleteClient" => {
                let client = json!({"display_name": "Gift finder"});
                let made = self.platform.admin.client.post("/v1/oauth-clients", client).await.ok();
                self.of_admin(json!({"client_id": made["client"]["client_id"]}))
            }
            other => unknown(other),
        }
    }

    pub(super) async fn of_roles(&self, short: &str) -> Situation {
        let name = format!("role-{}", Uuid::now_v7().simple());
        let role = json!({"role_id": name, "title": "Help desk", "permissions": ["users:read"]});
        match short {
            "RoleService/ListRoles" => return self.of_admin(json!({})),
            "RoleService/CreateRole" => return self.of_admin(role),
            _ => {}
        }
        self.platform.admin.client.post("/v1/roles", role).await.ok();
        match short {
            "RoleService/GetRole" | "RoleService/DeleteRole" => {
                self.of_admin(json!({"role_id": name}))
            }
            "RoleService/UpdateRole" => self.of_admin(json!({
                "role_id": name,
                "role": {
                    "title": "Help",
                    "description": "For those who answer mail",
                    "permissions": ["users:read", "audit:read"],
                },
                "update_mask": "title,description,permissions",
                "revoke_sessions": true,
            })),
            other => unknown(other),
        }
    }

    pub(super) async fn of_addresses(&self, short: &str) -> Situation {
        let customer = self.platform.anonymous().register().await;
        let home = json!({"label": "Home", "postal_address": postal_address()});
        if short == "AddressService/CreateAddress" {
            return of(&customer, home);
        }
        let saved = customer.client.post("/v1/users/me/addresses", home).await.ok();
        let id = &saved["address_id"];
        match short {
            "AddressService/ListAddresses" => of(&customer, json!({})),
            "AddressService/GetAddress" | "AddressService/DeleteAddress" => {
                of(&customer, json!({"address_id": id}))
            }
            "AddressService/UpdateAddress" => of(
                &customer,
                json!({"address_id": id, "address": {"label": "Work"}, "update_mask": "label"}),
            ),
            other => unknown(other),
        }
    }

    pub(super) async fn of_erasures(&self, short: &str) -> Situation {
        match short {
            // From the year 2100 on: nobody's, once those under way are done.
            "ErasureService/ListErasures" => {
                let list = "/v1/erasures?start_time=2100-01-01T00:00:00Z";
                eventually("no erasure is under way", async || {
                    let list = self.platform.admin.client.get(list).await.ok();
                    (list["erasures"] == json!([])).then_some(())
                })
                .await;
                self.of_admin(json!({"start_time": "2100-01-01T00:00:00Z", "page_size": 3}))
            }
            "ErasureService/RepeatErasures" => {
                let (nobody, reason) = (Uuid::now_v7(), "orders was restored");
                self.of_admin(json!({"user_ids": [nobody], "reason": reason}))
            }
            other => unknown(other),
        }
    }

    /// The token in a mail to a customer.
    async fn mailed(&self, customer: &Customer, path: &str) -> String {
        let link = format!("/{path}?token=");
        eventually("a mail with a token", async || {
            let mails = self.platform.mail_to(&customer.email);
            // Quoted-printable (RFC 2045, section 6.7): lines go on after `=`.
            let plain =
                |mail: &String| mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
            let mail = mails.iter().map(plain).find(|mail| mail.contains(&link))?;
            let (_, after) = mail.split_once(&link)?;
            Some(after.split_whitespace().next()?.to_owned())
        })
        .await
    }

    async fn age_mails(&self) {
        let url = self.platform.stack.postgres_url("identity").unwrap();
        let mut database = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
        sqlx::query("update mail_requests set created_at = created_at - interval '2 minutes'")
            .execute(&mut database)
            .await
            .unwrap();
    }
}

/// A second factor that is begun, and the app that knows it.
async fn enroll(customer: &Customer) -> TOTP {
    let request: Value = json!({"current_password": customer.password});
    let begun = customer.client.post("/v1/users/me/second-factor:enroll", request).await.ok();
    let secret = Secret::Encoded(begun["secret"].as_str().unwrap().to_owned()).to_bytes().unwrap();
    let (issuer, account) = (Some("Stoa".to_owned()), "somebody".to_owned());
    TOTP::new(Algorithm::SHA1, 6, 0, 30, secret, issuer, account).unwrap()
}

fn now() -> u64 {
    OffsetDateTime::now_utc().unix_timestamp() as u64
}
