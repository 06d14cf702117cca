import GatepostModel
import Passwords

extension PasswordHasher {
    /// Hashes a password as the policy normalises it.
    func hash(_ password: Secret) async throws -> String {
        try await hash(PasswordPolicy.bytes(of: password.revealed))
    }

    /// The same; nil where there is no room for it.
    ///
    /// A busy machine is no defect: the flow refuses, writes that down and gives back what the try has spent.
    func hashUnlessBusy(_ password: Secret) async throws -> String? {
        do { return try await hash(password) } catch is HasherBusy { return nil }
    }

    /// Compares like `verify`; nil where there is no room for it.
    func verifyUnlessBusy(_ password: Secret, against hash: String?) async throws -> PasswordVerdict? {
        do { return try await verify(password, against: hash) } catch is HasherBusy { return nil }
    }

    /// Compares a password, as the policy normalises it, with a hash.
    func verify(_ password: Secret, against hash: String?) async throws -> PasswordVerdict {
        guard password.revealed.utf8.count <= PasswordPolicy.bytesMax else { return .differs }
        return try await verify(PasswordPolicy.bytes(of: password.revealed), against: hash)
    }
}
