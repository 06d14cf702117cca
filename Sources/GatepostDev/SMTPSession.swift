import NIOCore

/// One connection's dialogue with an `SMTPServer` (RFC 5321, section 4.1).
struct SMTPSession: ~Copyable {
    /// What all sessions of a server share.
    struct Setup: Sendable {
        let limits: SMTPServer.Limits
        let login: SMTPServer.Login?
        let script: SMTPScript
        let mailbox: Watched<SMTPServer.Mailbox>
    }

    /// Whether the dialogue goes on after a command.
    enum Continuation {
        case goOn
        case hangUp
    }

    let connection: Int
    let setup: Setup
    var reader: SMTPLineReader
    let writer: NIOAsyncChannelOutboundWriter<ByteBuffer>
    var greeted = false
    var authenticated: Bool
    var mailCount = 0
    var envelopeFrom: String?
    var recipients: [String] = []

    init(
        connection: Int, setup: Setup, reader: consuming SMTPLineReader,
        writer: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.connection = connection
        self.setup = setup
        self.reader = reader
        self.writer = writer
        authenticated = setup.login == nil
    }

    /// Talks to the client until either side ends it.
    mutating func run() async throws {
        guard try await proceeds(at: .connect) else { return }
        try await reply(220, "gatepost.localhost ESMTP")
        while true {
            switch try await reader.next(bytesMax: setup.limits.commandBytesMax) {
            case .end:
                return
            case .tooLong:
                return try await reply(500, "5.5.2 Line too long")
            case .line(let bytes):
                guard case .goOn = try await handle(String(decoding: bytes, as: UTF8.self)) else { return }
            }
        }
    }

    private mutating func handle(_ line: String) async throws -> Continuation {
        let verb = line.prefix { $0 != " " }.uppercased()
        let argument = line.dropFirst(verb.count + 1)
        switch verb {
        case "EHLO": return try await ehlo(extended: true)
        case "HELO": return try await ehlo(extended: false)
        case "AUTH": try await authenticate(argument)
        case "MAIL": return try await mail(argument)
        case "RCPT": return try await rcpt(argument)
        case "DATA": return try await data()
        case "RSET":
            reset()
            try await reply(250, "2.0.0 Reset")
        case "NOOP": try await reply(250, "2.0.0 Still here")
        case "QUIT":
            guard try await proceeds(at: .quit) else { return .hangUp }
            try await reply(221, "2.0.0 Bye")
            return .hangUp
        default: try await reply(502, "5.5.1 Command not known")
        }
        return .goOn
    }

    private mutating func ehlo(extended: Bool) async throws -> Continuation {
        guard let proceeds = try await consult(.ehlo) else { return .hangUp }
        guard proceeds else { return .goOn }
        reset()
        greeted = true
        guard extended else {
            try await reply(250, "gatepost.localhost")
            return .goOn
        }
        var lines = ["gatepost.localhost", "SIZE \(setup.limits.mailBytesMax)", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if setup.login != nil { lines.append("AUTH PLAIN LOGIN") }
        let text = lines.enumerated().map { index, line in
            "250\(index == lines.count - 1 ? " " : "-")\(line)\r\n"
        }
        try await write(text.joined())
        return .goOn
    }

    private mutating func mail(_ argument: Substring) async throws -> Continuation {
        mailCount += 1
        let sender = path(argument, after: "FROM:")
        let previous = envelopeFrom
        envelopeFrom = sender
        guard let proceeds = try await consult(.mail) else { return .hangUp }
        envelopeFrom = previous
        guard proceeds else { return .goOn }
        guard greeted else { return try await refuse(503, "5.5.1 Say EHLO first") }
        guard authenticated else { return try await refuse(530, "5.7.0 Authentication required") }
        guard previous == nil else { return try await refuse(503, "5.5.1 One sender at a time") }
        guard let sender else { return try await refuse(501, "5.5.4 MAIL FROM:<address> is wanted") }
        envelopeFrom = sender
        try await reply(250, "2.1.0 Sender ok")
        return .goOn
    }

    private mutating func rcpt(_ argument: Substring) async throws -> Continuation {
        let recipient = path(argument, after: "TO:")
        recipients.append(recipient ?? "")
        guard let proceeds = try await consult(.rcpt) else { return .hangUp }
        recipients.removeLast()
        guard proceeds else { return .goOn }
        guard envelopeFrom != nil else { return try await refuse(503, "5.5.1 MAIL first") }
        guard let recipient, !recipient.isEmpty else {
            return try await refuse(501, "5.5.4 RCPT TO:<address> is wanted")
        }
        guard recipients.count < setup.limits.recipientsMax else {
            return try await refuse(452, "4.5.3 Too many recipients")
        }
        recipients.append(recipient)
        try await reply(250, "2.1.5 Recipient ok")
        return .goOn
    }

    /// Answers a command that has no effect.
    func refuse(_ code: Int, _ text: String) async throws -> Continuation {
        try await reply(code, text)
        return .goOn
    }

    mutating func reset() {
        envelopeFrom = nil
        recipients = []
    }

    /// The path between angle brackets; ESMTP parameters after it are not looked at.
    private func path(_ argument: Substring, after keyword: String) -> String? {
        guard argument.prefix(keyword.count).uppercased() == keyword else { return nil }
        let rest = argument.dropFirst(keyword.count).drop { $0 == " " }
        guard rest.first == "<", let end = rest.firstIndex(of: ">") else { return nil }
        return String(rest[rest.index(after: rest.startIndex)..<end])
    }

    func reply(_ code: Int, _ text: String) async throws {
        try await write("\(code) \(text)\r\n")
    }

    func write(_ text: String) async throws {
        try await writer.write(ByteBuffer(string: text))
    }
}
