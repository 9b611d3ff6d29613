//! What `up` shows when everything runs: addresses, logs, a first order.

use std::fmt::Write as _;

use anyhow::Result;
use stack::{SERVICES, Stack};

/// The addresses, the administrator and an example to paste.
pub fn summary(stack: &Stack) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "{:<16} {:<32} log", "what", "address")?;
    for (name, address) in rows(stack)? {
        writeln!(text, "{name:<16} {address:<32} {}", stack.log_of(log_name(&name)).display())?;
    }
    let (email, password) = (stack.admin_email(), stack.admin_password()?);
    writeln!(text, "\nadministrator    {email}  {password}")?;
    writeln!(text, "mail             {}/new", stack.mail_dir().display())?;
    writeln!(text, "certificates     {}", stack.pki_dir().display())?;
    write!(text, "\n{}", EXAMPLE.replace("{edge}", &stack.edge_url()))?;
    Ok(text)
}

fn rows(stack: &Stack) -> Result<Vec<(String, String)>> {
    let ports = &stack.options().ports;
    let mut rows = vec![
        ("console".to_owned(), stack.console_url()),
        ("edge".to_owned(), stack.edge_url()),
        ("edge https".to_owned(), stack.edge_tls_url()),
        ("edge docs".to_owned(), stack.docs_url()),
        ("edge admin".to_owned(), stack.edge_admin_url()),
    ];
    rows.extend(SERVICES.map(|service| (service.to_owned(), stack.grpc_url(service))));
    rows.push(("sandbox".to_owned(), stack.sandbox_url()));
    rows.push(("guard".to_owned(), format!("http://127.0.0.1:{}", ports.guard)));
    rows.push(("docs".to_owned(), format!("http://127.0.0.1:{}", ports.docs)));
    rows.push(("prometheus".to_owned(), stack.prometheus_url()));
    rows.push(("alertmanager".to_owned(), stack.alertmanager_url()));
    rows.push(("prober".to_owned(), stack.service_admin_url("prober")));
    rows.push(("postgres".to_owned(), format!("127.0.0.1:{}", ports.postgres)));
    rows.push(("rabbitmq".to_owned(), format!("127.0.0.1:{}", ports.amqp)));
    rows.push(("redis".to_owned(), format!("127.0.0.1:{}", ports.redis)));
    rows.push(("smtp".to_owned(), format!("127.0.0.1:{}", ports.smtp)));
    Ok(rows)
}

fn log_name(row: &str) -> &str {
    row.split(' ').next().unwrap_or(row)
}

/// Needs nothing but a shell and curl.
const EXAMPLE: &str = r#"A first order, to paste into a shell:

  SHOP={edge}
  field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" | head -n 1; }
  TOKEN=$(curl -s $SHOP/v1/auth/register -H 'content-type: application/json' \
    -d "{\"email\":\"ada$$@example.com\",\"password\":\"correct horse\",\"display_name\":\"Ada\"}" | field access_token)
  PRODUCT=$(curl -s "$SHOP/v1/products?page_size=1" | field product_id)
  curl -s $SHOP/v1/cart/items -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \
    -d "{\"product_id\":\"$PRODUCT\",\"quantity\":1}"; echo
  curl -s $SHOP/v1/orders -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \
    -H "idempotency-key: first-$$" -d '{"payment_token":"tok_visa","shipping_address":{"recipient":"Ada Lovelace",
    "street":"St James Square 12","city":"London","postal_code":"SW1Y 4JH","country_code":"GB"}}'; echo
  sleep 1; curl -s $SHOP/v1/notifications -H "authorization: Bearer $TOKEN"; echo
"#;
