import GatepostModel
import Passwords

extension PasswordPolicy {
    /// The refusal of a password that is not good enough; nil for a good one.
    func refusal(of password: Secret, for email: EmailAddress?) -> Refusal? {
        let address = email?.canonical ?? ""
        // The whole of it, too: its parts may be short words, of which one alone says nothing.
        let words = [address] + address.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        guard let weakness = weakness(of: password.revealed, context: words) else { return nil }
        var refusal = Refusal(.weakPassword, detail: weakness.description)
        (refusal.detailCode, refusal.detailNumber) = weakness.code
        return refusal
    }
}

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
