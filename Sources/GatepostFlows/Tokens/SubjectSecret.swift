import GatepostModel
import GatepostStore

/// Makes, opens and seals anew an app's secret for pairwise subjects.
enum SubjectSecret {
    /// A new secret, sealed for this app.
    static func make(in app: AppID, keys: KeyRing, random: any RandomSource) throws -> [UInt8] {
        try keys.seal(random.bytes(PairwiseSubjects.secretBytes), at: place(app))
    }

    /// The subjects of an app; throws `SealBroken` if the key-encryption key is gone.
    static func open(_ sealed: [UInt8], in app: AppID, keys: KeyRing) throws -> PairwiseSubjects {
        PairwiseSubjects(secret: try keys.open(sealed, at: place(app)))
    }

    /// The same secret under the current key-encryption key; nil where it is sealed with that one.
    static func resealed(_ sealed: [UInt8], in app: AppID, keys: KeyRing) throws -> [UInt8]? {
        guard !keys.isCurrent(sealed) else { return nil }
        return try keys.seal(keys.open(sealed, at: place(app)), at: place(app))
    }

    private static func place(_ app: AppID) -> SealedPlace {
        SealedPlace(table: "subject_secrets", column: "secret_sealed", app: app, row: app.uuid.bytes)
    }
}

/// An app has a client with pairwise subjects and no secret for them: the row was deleted by hand.
struct NoSubjectSecret: Error {}
