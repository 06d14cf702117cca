import GatepostFlows
import GatepostModel
import GatepostStore

/// Checks the settings of an identity provider as a body carries them; what is wrong is named, never its value.
enum ProviderSettings {
    static let labelLengthMax = 60
    static let clientIDBytesMax = 255
    static let scopesMax = 20

    /// A whole provider.
    static func wanted(
        _ body: AdminProviderRoutes.CreateRequest, allowsPrivate: Bool
    ) throws -> AdminProviderFlow.Wanted {
        guard let name = ProviderName(body.name) else {
            throw invalid("name has 1 to \(ProviderName.bytesMax) lower case letters, digits and hyphens.")
        }
        guard let kind = ProviderKind(rawValue: body.kind) else {
            throw invalid("kind is one of " + ProviderKind.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        guard let text = body.issuer ?? kind.issuer else { throw invalid("issuer is missing.") }
        guard let issuer = ProviderIssuer(text, of: kind, allowsPrivate: allowsPrivate) else {
            throw invalid(
                kind == .microsoft
                    ? "issuer is https://login.microsoftonline.com/TENANT/v2.0 with the tenant's id."
                    : "issuer is an https URL of a public name, without query, as the provider writes it.")
        }
        var wanted = AdminProviderFlow.Wanted(
            name: name, kind: kind, issuer: issuer, clientID: try clientID(body.clientID),
            secret: try secret(body.secret))
        wanted.label = try body.label.map(label)
        wanted.scopes = try body.scopes.map(scopes)
        if kind == .apple {
            guard let team = body.teamID, let key = body.keyID else { throw invalid("Apple has team_id and key_id.") }
            (wanted.teamID, wanted.keyID) = (try appleID(team, "team_id"), try appleID(key, "key_id"))
        } else if body.teamID != nil || body.keyID != nil {
            throw invalid("team_id and key_id are for Apple.")
        }
        wanted.allowsSignUp = body.allowsSignUp ?? true
        wanted.keepsTokens = body.keepsTokens ?? false
        return wanted
    }

    /// A change, its secret aside.
    static func change(_ body: AdminProviderRoutes.ChangeRequest) throws -> IdentityProviderChange {
        guard body.state == nil || body.state == "enabled" || body.state == "disabled" else {
            throw Problem(.invalidRequest, detail: "state is enabled or disabled.")
        }
        var change = IdentityProviderChange()
        change.label = try body.label.map(label)
        change.clientID = try body.clientID.map(clientID)
        change.scopes = try body.scopes.map(scopes)
        change.keyID = try body.keyID.map { try appleID($0, "key_id") }
        (change.allowsSignUp, change.keepsTokens) = (body.allowsSignUp, body.keepsTokens)
        change.isEnabled = body.state.map { $0 == "enabled" }
        guard !change.fieldNames.isEmpty || body.secret != nil else {
            throw Problem(.invalidRequest, detail: "Name at least one field to change.")
        }
        return change
    }

    /// A secret of a length that can be one.
    static func secret(_ secret: Secret) throws -> Secret {
        let length = secret.revealed.utf8.count
        guard (1...ProviderSecretSeal.bytesMax).contains(length), !secret.revealed.utf8.contains(0) else {
            throw invalid("secret has 1 to \(ProviderSecretSeal.bytesMax) bytes.")
        }
        return secret
    }

    private static func label(_ text: String) throws -> String {
        guard (1...labelLengthMax).contains(text.unicodeScalars.count),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw invalid("label has 1 to \(labelLengthMax) characters.") }
        return text
    }

    /// Visible ASCII without what JSON would have to escape: it stands in a signed token, too.
    private static func clientID(_ text: String) throws -> String {
        guard (1...clientIDBytesMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
        else { throw invalid("client_id has 1 to \(clientIDBytesMax) visible ASCII characters.") }
        return text
    }

    /// Scope tokens (RFC 6749, section 3.3).
    private static func scopes(_ names: [String]) throws -> [String] {
        let areFit = names.allSatisfy { name in
            (1...200).contains(name.utf8.count)
                && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        }
        guard areFit, (1...scopesMax).contains(names.count), Set(names).count == names.count else {
            throw invalid("scopes names 1 to \(scopesMax), none twice.")
        }
        return names
    }

    private static func appleID(_ text: String, _ field: String) throws -> String {
        let isFit = text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
        guard isFit, text.utf8.count == 10 else { throw invalid("\(field) has ten capital letters and digits.") }
        return text
    }

    private static func invalid(_ detail: String) -> Problem { Problem(.invalidIdentityProvider, detail: detail) }
}
