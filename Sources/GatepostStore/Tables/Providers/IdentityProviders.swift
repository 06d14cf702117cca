package import GatepostModel
import Postgres

/// An identity provider as its row says.
package struct IdentityProviderRecord: Sendable {
    /// The most that an app may have: each is a button on its sign-in page.
    package static let countMax = 20

    /// Which it is: the name stands in its redirect URI, the label on its button.
    package let id: IdentityProviderID
    package let name: String
    package let label: String
    /// Nil for a kind that this version does not know.
    package let kind: ProviderKind?
    /// What its tokens must say, and what it knows the app by.
    package let issuer: String
    package let clientID: String
    package let scopes: [String]
    /// Opens by `ProviderSecretSeal` only.
    package let secretSealed: [UInt8]
    /// Apple's alone.
    package let teamID: String?
    package let keyID: String?
    /// Whether somebody without an account gets one, and whether the provider's tokens are kept.
    package let allowsSignUp: Bool
    package let keepsTokens: Bool
    package let isEnabled: Bool
    package let createdAt: Instant
    package let changedAt: Instant
    package let secretChangedAt: Instant
    package let disabledAt: Instant?

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        name = try row.get("name")
        label = try row.get("label")
        kind = ProviderKind(rawValue: try row.get("kind"))
        issuer = try row.get("issuer")
        clientID = try row.get("client_id")
        scopes = try row.get("scopes")
        secretSealed = try row.get("secret_sealed")
        teamID = try row.get("team_id")
        keyID = try row.get("key_id")
        allowsSignUp = try row.get("allows_sign_up")
        keepsTokens = try row.get("keeps_tokens")
        isEnabled = try row.get("state", as: String.self) == "enabled"
        createdAt = try row.get("created_at")
        changedAt = try row.get("changed_at")
        secretChangedAt = try row.get("secret_changed_at")
        disabledAt = try row.get("disabled_at")
    }
}

/// What a new provider consists of.
package struct NewIdentityProvider: Sendable {
    package let id: IdentityProviderID
    package let name: ProviderName
    package let kind: ProviderKind
    package let issuer: ProviderIssuer
    package let secretSealed: [UInt8]
    package var label: String
    package var clientID: String
    package var scopes: [String]
    package var teamID: String?
    package var keyID: String?
    package var allowsSignUp = true
    package var keepsTokens = false

    /// Begins a provider; the rest is set afterwards.
    package init(
        id: IdentityProviderID, name: ProviderName, kind: ProviderKind, issuer: ProviderIssuer, clientID: String,
        secretSealed: [UInt8]
    ) {
        (self.id, self.name, self.kind, self.issuer) = (id, name, kind, issuer)
        (self.clientID, self.secretSealed) = (clientID, secretSealed)
        (label, scopes) = (kind.label, kind.scopes)
    }
}

/// What is to be changed of a provider; nil leaves as it is.
///
/// Name, kind and issuer are what it is, and never change.
package struct IdentityProviderChange: Sendable {
    /// The button's text, what the provider knows the app by, and what is asked of it.
    package var label: String?
    package var clientID: String?
    package var scopes: [String]?
    /// A new secret, sealed; with Apple, which key it is.
    package var secretSealed: [UInt8]?
    package var keyID: String?
    /// Whether it opens accounts, keeps tokens, signs anybody in.
    package var allowsSignUp: Bool?
    package var keepsTokens: Bool?
    package var isEnabled: Bool?

    /// A change of nothing.
    package init() {}

    /// The names of the fields that it names, for the audit trail.
    package var fieldNames: [String] {
        [
            label.map { _ in "label" }, clientID.map { _ in "client_id" }, scopes.map { _ in "scopes" },
            secretSealed.map { _ in "secret" }, keyID.map { _ in "key_id" },
            allowsSignUp.map { _ in "allows_sign_up" }, keepsTokens.map { _ in "keeps_tokens" },
            isEnabled.map { _ in "state" },
        ].compactMap(\.self)
    }
}

private let columns: SQL = """
    p.id, p.name, p.label, p.kind, p.issuer, p.client_id, p.scopes, p.secret_sealed, p.team_id, p.key_id,
    p.allows_sign_up, p.keeps_tokens, p.state, p.created_at, p.changed_at, p.secret_changed_at, p.disabled_at
    """

extension AppBatch {
    /// Lets one transaction at a time add providers to the app: two could otherwise both see the last free place.
    package mutating func lockIdentityProviders() {
        add("select pg_advisory_xact_lock(hashtextextended('identity_providers ' || \(scope.appID)::uuid::text, 0))")
    }

    /// How many providers the app has, and how many of them have this name or this issuer.
    package mutating func identityProviderCount(
        like name: ProviderName, _ issuer: ProviderIssuer
    ) -> BatchReading<(all: Int, alike: Int)> {
        read(
            """
            select count(*) as count, count(*) filter (where name = \(name.text) or issuer = \(issuer.text)) as alike
              from identity_providers
             where app_id = \(scope.appID)
            """
        ) { rows in
            guard let row = rows.first else { return (0, 0) }
            return (try row.get("count"), try row.get("alike"))
        }
    }

    /// Writes an enabled provider.
    package mutating func insertIdentityProvider(_ new: NewIdentityProvider, at now: Instant) {
        add(
            """
            insert into identity_providers (app_id, id, name, kind, label, issuer, client_id, secret_sealed, scopes,
                                            team_id, key_id, allows_sign_up, keeps_tokens, state, created_at,
                                            changed_at, secret_changed_at)
            values (\(scope.appID), \(new.id), \(new.name.text), \(new.kind.rawValue), \(new.label),
                    \(new.issuer.text), \(new.clientID), \(new.secretSealed), \(new.scopes), \(new.teamID),
                    \(new.keyID), \(new.allowsSignUp), \(new.keepsTokens), 'enabled', \(now), \(now), \(now))
            """)
    }

    /// Providers of the app, oldest first.
    package mutating func identityProviders(
        after cursor: PageCursor?, limit: Int
    ) -> BatchReading<[IdentityProviderRecord]> {
        let further: SQL = cursor.map { "and (p.created_at, p.id) > (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select \(columns) from identity_providers as p
             where p.app_id = \(scope.appID) \(further)
             order by p.created_at, p.id
             limit \(limit)
            """
        ) { try $0.map(IdentityProviderRecord.init) }
    }

    /// The providers that sign people in, oldest first.
    package mutating func enabledIdentityProviders() -> BatchReading<[IdentityProviderRecord]> {
        identityProviders(after: nil, limit: IdentityProviderRecord.countMax).map { providers in
            providers.filter { $0.isEnabled && $0.kind != nil }
        }
    }

    /// One provider; nil if the app has none of this id.
    package mutating func identityProvider(_ id: IdentityProviderID) -> BatchReading<IdentityProviderRecord?> {
        read("select \(columns) from identity_providers as p where p.app_id = \(scope.appID) and p.id = \(id)") {
            try $0.first.map(IdentityProviderRecord.init)
        }
    }

    /// One provider by its name in addresses; nil if the app has none of this name.
    package mutating func identityProvider(_ name: ProviderName) -> BatchReading<IdentityProviderRecord?> {
        read(
            """
            select \(columns) from identity_providers as p
             where p.app_id = \(scope.appID) and p.name = \(name.text)
            """
        ) { try $0.first.map(IdentityProviderRecord.init) }
    }

    /// Takes a provider for this transaction: whoever else changes it, waits.
    ///
    /// - Returns: The provider as it is; nil if the app has none of this id.
    package mutating func lockIdentityProvider(_ id: IdentityProviderID) -> BatchReading<IdentityProviderRecord?> {
        read(
            """
            select \(columns) from identity_providers as p
             where p.app_id = \(scope.appID) and p.id = \(id)
               for update
            """
        ) { try $0.first.map(IdentityProviderRecord.init) }
    }

    /// Changes what is named of a provider.
    package mutating func changeIdentityProvider(
        _ id: IdentityProviderID, _ change: IdentityProviderChange, at now: Instant
    ) {
        let disabledAt: SQL =
            switch change.isEnabled {
            case nil: "disabled_at"
            case true?: "null"
            case false?: "coalesce(disabled_at, \(now))"
            }
        add(
            """
            update identity_providers
               set label = coalesce(\(change.label)::text, label),
                   client_id = coalesce(\(change.clientID)::text, client_id),
                   scopes = coalesce(\(change.scopes)::text[], scopes),
                   secret_changed_at = case when \(change.secretSealed)::bytea is null then secret_changed_at
                                            else \(now) end,
                   secret_sealed = coalesce(\(change.secretSealed)::bytea, secret_sealed),
                   key_id = coalesce(\(change.keyID)::text, key_id),
                   allows_sign_up = coalesce(\(change.allowsSignUp)::boolean, allows_sign_up),
                   keeps_tokens = coalesce(\(change.keepsTokens)::boolean, keeps_tokens),
                   state = coalesce(\(change.isEnabled.map { $0 ? "enabled" : "disabled" })::text, state),
                   disabled_at = \(disabledAt), changed_at = \(now)
             where app_id = \(scope.appID) and id = \(id)
            """)
    }

    /// Deletes a provider with the ways that lead through it; the identities stay.
    ///
    /// - Returns: Whether it was there.
    package mutating func deleteIdentityProvider(_ id: IdentityProviderID) -> BatchReading<Bool> {
        read("delete from identity_providers where app_id = \(scope.appID) and id = \(id)") { $0.affectedCount == 1 }
    }
}
