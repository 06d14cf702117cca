/// The kinds of things that Gatepost identifies; each has a prefix of its own.
package enum Identified {
    /// The boundary of everything.
    package enum App: IdentifiedKind {
        package static let prefix = "app"
    }

    /// A program that signs users of an app in.
    package enum Client: IdentifiedKind {
        package static let prefix = "cli"
    }

    /// A person in an app.
    package enum User: IdentifiedKind {
        package static let prefix = "usr"
    }

    /// A short-lived attempt, such as a sign-up.
    package enum Flow: IdentifiedKind {
        package static let prefix = "flw"
    }

    /// A signed-in user on one device.
    package enum Session: IdentifiedKind {
        package static let prefix = "ses"
    }

    /// The refresh tokens that descend from one sign-in.
    package enum TokenFamily: IdentifiedKind {
        package static let prefix = "fam"
    }

    /// A key that signs an app's tokens; published as `kid`.
    package enum SigningKey: IdentifiedKind {
        package static let prefix = "key"
    }

    /// What users of an app may do in it, by a name.
    package enum Role: IdentifiedKind {
        package static let prefix = "rol"
    }

    /// Something owed to the outside world.
    package enum Message: IdentifiedKind {
        package static let prefix = "msg"
    }

    /// A recorded fact about a user or an app.
    package enum AuditEvent: IdentifiedKind {
        package static let prefix = "evt"
    }

    /// A role that an admin has.
    package enum AdminGrant: IdentifiedKind {
        package static let prefix = "agr"
    }

    /// A key with which a program uses the admin API.
    package enum APIKey: IdentifiedKind {
        package static let prefix = "apk"
    }

    /// Where an app wants to be told.
    package enum WebhookEndpoint: IdentifiedKind {
        package static let prefix = "whe"
    }

    /// One of an endpoint's signing secrets.
    package enum WebhookSecret: IdentifiedKind {
        package static let prefix = "whs"
    }

    /// An audit trail, or a part of it, made into a file.
    package enum AuditExport: IdentifiedKind {
        package static let prefix = "exp"
    }

    /// One of a confidential client's secrets.
    package enum ClientSecret: IdentifiedKind {
        package static let prefix = "cls"
    }

    /// What a client asked for when it sent a browser to sign in.
    package enum AuthorizationRequest: IdentifiedKind {
        package static let prefix = "arq"
    }

    /// Somebody else who may say who a person is.
    package enum IdentityProvider: IdentifiedKind {
        package static let prefix = "idp"
    }

    /// Who a user is with a provider.
    package enum UserIdentity: IdentifiedKind {
        package static let prefix = "idn"
    }

    /// One way of a browser to a provider and back.
    package enum ProviderSignIn: IdentifiedKind {
        package static let prefix = "psi"
    }

    /// What a user proves beside a first factor.
    package enum UserFactor: IdentifiedKind {
        package static let prefix = "fac"
    }

    /// A sign-in that waits for its second factor.
    package enum FactorChallenge: IdentifiedKind {
        package static let prefix = "fch"
    }
}

/// Identifies the boundary of everything.
package typealias AppID = TypedID<Identified.App>

/// Identifies a program that signs users of an app in.
package typealias ClientID = TypedID<Identified.Client>

/// Identifies a person in an app.
package typealias UserID = TypedID<Identified.User>

/// Identifies a short-lived attempt, such as a sign-up.
package typealias FlowID = TypedID<Identified.Flow>

/// Identifies a signed-in user on one device.
package typealias SessionID = TypedID<Identified.Session>

/// Identifies the refresh tokens that descend from one sign-in.
package typealias TokenFamilyID = TypedID<Identified.TokenFamily>

/// Identifies a key that signs an app's tokens; published as `kid`.
package typealias SigningKeyID = TypedID<Identified.SigningKey>

/// Identifies what users of an app may do in it, by a name.
package typealias RoleID = TypedID<Identified.Role>

/// Identifies something owed to the outside world.
package typealias MessageID = TypedID<Identified.Message>

/// Identifies a recorded fact about a user or an app.
package typealias AuditEventID = TypedID<Identified.AuditEvent>

/// Identifies a role that an admin has.
package typealias AdminGrantID = TypedID<Identified.AdminGrant>

/// Identifies a key with which a program uses the admin API.
package typealias APIKeyID = TypedID<Identified.APIKey>

/// Identifies where an app wants to be told.
package typealias WebhookEndpointID = TypedID<Identified.WebhookEndpoint>

/// Identifies one of an endpoint's signing secrets.
package typealias WebhookSecretID = TypedID<Identified.WebhookSecret>

/// Identifies an audit trail, or a part of it, made into a file.
package typealias AuditExportID = TypedID<Identified.AuditExport>

/// Identifies one of a confidential client's secrets.
package typealias ClientSecretID = TypedID<Identified.ClientSecret>

/// Identifies what a client asked for when it sent a browser to sign in.
package typealias AuthorizationRequestID = TypedID<Identified.AuthorizationRequest>

/// Identifies somebody else who may say who a person is.
package typealias IdentityProviderID = TypedID<Identified.IdentityProvider>

/// Identifies who a user is with a provider.
package typealias UserIdentityID = TypedID<Identified.UserIdentity>

/// Identifies one way of a browser to a provider and back.
package typealias ProviderSignInID = TypedID<Identified.ProviderSignIn>

/// Identifies what a user proves beside a first factor.
package typealias UserFactorID = TypedID<Identified.UserFactor>

/// Identifies a sign-in that waits for its second factor.
package typealias FactorChallengeID = TypedID<Identified.FactorChallenge>

extension AppID {
    /// The built-in app `gatepost`, whose users are the admins.
    ///
    /// A fixed id, so that a migration can make the row and every installation agrees on it.
    package static let gatepost = AppID(uuid: UUIDBits(high: 0x0000_0000_0000_7000, low: 0x8000_0000_0000_0000))
}
