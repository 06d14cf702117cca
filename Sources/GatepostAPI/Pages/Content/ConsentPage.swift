import GatepostModel
import GatepostStore

/// Asks whether a client of somebody else's may use the account, and says what it would be told.
struct ConsentPage: PageContent {
    let template = "consent"
    /// What the client is called, and the host that its answer goes to; nil for an app on the person's device.
    let client: String
    let place: String?
    /// What it would be told, in words.
    let told: [String]
    let email: String
    /// Who is asked: the answer is that session's, and nobody's who signs in here later.
    let session: String
    /// What follows the address of each page that belongs to the same sign-in.
    let query: String
    let formTargets: [String]

    var values: [String: String] { ["client": client, "place": place ?? ""] }
}

extension Pages {
    /// What a client is told that has this scope, in words.
    func told(_ scope: GrantScope, for reader: PageReader) -> [String] {
        let names = ["app": reader.app?.name ?? ""]
        let further = scope.values.map { value in
            switch value {
            case .openid: text("consent_told_openid", for: reader)
            case .email: text("consent_told_email", for: reader)
            case .profile: text("consent_told_profile", for: reader, names)
            }
        }
        return [text("consent_told_that", for: reader)] + further
    }
}
