import Foundation

/// `AUTH PLAIN` (RFC 4616) and `AUTH LOGIN`, which is what relays ask for in practice.
extension SMTPSession {
    mutating func authenticate(_ argument: Substring) async throws {
        let words = argument.split(separator: " ")
        guard let login = setup.login, let mechanism = words.first?.uppercased() else {
            return try await reply(503, "5.5.1 No authentication here")
        }
        switch mechanism {
        case "PLAIN":
            let response: [UInt8]?
            if words.count > 1 { response = decode(words[1]) } else { response = try await ask("") }
            let parts = response?.split(separator: 0, omittingEmptySubsequences: false) ?? []
            authenticated =
                parts.count == 3 && parts[1].elementsEqual(login.username.utf8)
                && parts[2].elementsEqual(login.password.utf8)
        case "LOGIN":
            let username: [UInt8]?
            if words.count > 1 { username = decode(words[1]) } else { username = try await ask("VXNlcm5hbWU6") }
            let password = try await ask("UGFzc3dvcmQ6")
            authenticated = username == Array(login.username.utf8) && password == Array(login.password.utf8)
        default:
            return try await reply(504, "5.5.4 PLAIN or LOGIN is wanted")
        }
        if authenticated {
            try await reply(235, "2.7.0 Welcome")
        } else {
            try await reply(535, "5.7.8 Wrong name or password")
        }
    }

    private mutating func ask(_ challenge: String) async throws -> [UInt8]? {
        try await reply(334, challenge)
        guard case .line(let line) = try await reader.next(bytesMax: setup.limits.commandBytesMax) else { return nil }
        return decode(String(decoding: line, as: UTF8.self)[...])
    }

    private func decode(_ text: Substring) -> [UInt8]? {
        Data(base64Encoded: String(text)).map(Array.init)
    }
}
