/// `DATA`: the body, its limits, and who keeps it.
extension SMTPSession {
    mutating func data() async throws -> Continuation {
        guard let proceeds = try await consult(.data) else { return .hangUp }
        guard proceeds else { return .goOn }
        guard let envelopeFrom, !recipients.isEmpty else { return try await refuse(503, "5.5.1 RCPT first") }
        try await reply(354, "End data with <CR><LF>.<CR><LF>")
        guard try await reader.waitForBytes(), try await self.proceeds(at: .body) else { return .hangUp }
        guard let body = try await readBody() else { return .hangUp }
        let outcome = try await finish(body, from: envelopeFrom)
        reset()
        return outcome
    }

    /// Reads up to the final dot; nil if the client went away or sent too much.
    private mutating func readBody() async throws -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            switch try await reader.next(bytesMax: setup.limits.mailBytesMax) {
            case .end:
                return nil
            case .tooLong:
                try await reply(552, "5.3.4 Too large")
                return nil
            case .line(let line):
                let isDotted = line.first == UInt8(ascii: ".")
                if isDotted && line.count == 1 { return body }
                body += isDotted ? line.dropFirst() : line[...]
                body += [carriageReturn, lineFeed]
                guard body.count <= setup.limits.mailBytesMax else {
                    try await reply(552, "5.3.4 Too large")
                    return nil
                }
            }
        }
    }

    private func finish(_ body: [UInt8], from sender: String) async throws -> Continuation {
        let (behaviour, stall) = setup.script.arrive(at: moment(.finalDot))
        switch behaviour {
        case .reply(let code, let text):
            return try await refuse(code, text)
        case .close:
            return .hangUp
        case .closeAfterAccepting:
            keep(body, from: sender)
            return .hangUp
        case .stallAfterAccepting:
            keep(body, from: sender)
            if let stall { try await setup.script.wait(for: stall) }
        case .stall:
            if let stall { try await setup.script.wait(for: stall) }
            keep(body, from: sender)
        case .delay(let duration):
            try await Task.sleep(for: duration)
            keep(body, from: sender)
        case .proceed:
            keep(body, from: sender)
        }
        try await reply(250, "2.0.0 Kept")
        return .goOn
    }

    private func keep(_ body: [UInt8], from sender: String) {
        let hasBareLineBreak = Self.hasBareLineBreak(body)
        setup.mailbox.update { mailbox in
            mailbox.receivedCount += 1
            mailbox.mails.append(
                ReceivedMail(
                    order: mailbox.receivedCount, connection: connection, envelopeFrom: sender,
                    recipients: recipients, bytes: body, hasBareLineBreak: hasBareLineBreak))
            let excess = mailbox.mails.count - setup.limits.mailsKeptMax
            if excess > 0 { mailbox.mails.removeFirst(excess) }
        }
    }

    private static func hasBareLineBreak(_ body: [UInt8]) -> Bool {
        body.indices.contains { index in
            switch body[index] {
            case carriageReturn: index + 1 == body.count || body[index + 1] != lineFeed
            case lineFeed: index == 0 || body[index - 1] != carriageReturn
            default: false
            }
        }
    }
}
