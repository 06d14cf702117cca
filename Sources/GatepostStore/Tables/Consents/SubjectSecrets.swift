package import GatepostModel
import Postgres

extension AppBatch {
    /// The app's secret for pairwise subjects, sealed; nil while no client has asked for them.
    package mutating func subjectSecret() -> BatchReading<[UInt8]?> {
        read("select secret_sealed from subject_secrets where app_id = \(scope.appID)") {
            try $0.first?.get("secret_sealed")
        }
    }

    /// Writes the app's secret down unless there is one.
    package mutating func insertSubjectSecret(_ sealed: [UInt8], at now: Instant) {
        add(
            """
            insert into subject_secrets (app_id, secret_sealed, created_at)
            values (\(scope.appID), \(sealed), \(now))
            on conflict do nothing
            """)
    }

    /// Puts the same secret, sealed anew, in the place of what was read; a racing one has done the same.
    package mutating func resealSubjectSecret(_ before: [UInt8], as sealed: [UInt8]) {
        add(
            """
            update subject_secrets set secret_sealed = \(sealed)
             where app_id = \(scope.appID) and secret_sealed = \(before)
            """)
    }
}
