//! `Origin`: the scheme, host and port that a URL speaks of. Connections are kept by it.

use ::http::Uri;

use super::Error;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) is_https: bool,
    /// In small letters; an IPv6 address has no brackets.
    pub(super) host: Box<str>,
    pub(super) port: u16,
}

impl Origin {
    pub(super) fn of(url: &Uri) -> Result<Self, Error> {
        let refused = |why: &str| Err(Error::Url(format!("{why}: {url}")));
        let is_https = match url.scheme_str() {
            Some("http") => false,
            Some("https") if cfg!(feature = "tls") => true,
            Some("https") => return refused("https needs the feature `tls`"),
            Some(_) => return refused("only http and https are spoken here"),
            None => return refused("it must begin with http:// or https://"),
        };
        let authority = match url.authority() {
            Some(authority) if !authority.host().is_empty() => authority,
            _ => return refused("there is no host in it"),
        };
        if authority.as_str().contains('@') {
            // Not repeated: it may be a password.
            let why = "a name and a password in it are not sent; use the header `authorization`";
            return Err(Error::Url(why.to_owned()));
        }
        let host = authority.host().trim_matches(['[', ']']);
        let default = if is_https { 443 } else { 80 };
        Ok(Self {
            is_https,
            host: host.to_ascii_lowercase().into(),
            port: authority.port_u16().unwrap_or(default),
        })
    }
}
