import QRCode
import Testing

/// That a camera reads it, `BrowserTests` shows, with a reader that we did not write.
@Suite("QR symbol")
struct QRSymbolTests {
    private static let uri =
        "otpauth://totp/Lighthouse:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Lighthouse"

    /// A symbol as lines of text, to be seen where a test fails.
    private static func text(_ symbol: QRSymbol) -> String {
        (0..<symbol.side).map { row in
            (0..<symbol.side).map { symbol[row, $0] ? "#" : "." }.joined()
        }.joined(separator: "\n")
    }

    @Test func `three corners say where the symbol is, and the lines between them how fine`() throws {
        let symbol = try #require(QRSymbol(Self.uri))
        let finder = [
            "#######.", "#.....#.", "#.###.#.", "#.###.#.", "#.###.#.", "#.....#.", "#######.", "........",
        ]
        let end = symbol.side - 1
        for (row, line) in finder.enumerated() {
            for (column, module) in line.enumerated() {
                let isDark = module == "#"
                #expect(symbol[row, column] == isDark, "\(Self.text(symbol))")
                #expect(symbol[row, end - column] == isDark)
                #expect(symbol[end - row, column] == isDark)
            }
        }
        for place in 8..<symbol.side - 8 {
            #expect(symbol[6, place] == place.isMultiple(of: 2) && symbol[place, 6] == place.isMultiple(of: 2))
        }
        #expect(symbol[symbol.side - 8, 8], "the one module that is always dark (ISO/IEC 18004, 7.9.1)")
    }

    @Test func `it corrects at level M, and says so beside its corners`() throws {
        let symbol = try #require(QRSymbol(Self.uri))
        // The two bits of the level, masked by those of 101010000010010, most significant first (7.9.1): 00 is M.
        #expect((symbol[8, 0], symbol[8, 1]) == (true, false))
    }

    @Test(arguments: [
        (1, 21), (14, 21), (15, 25), (122, 45), (123, 49), (213, 57), (214, 61), (666, 97),
    ])
    func `it is as large as its bytes need`(bytes: Int, side: Int) {
        #expect(QRSymbol(String(repeating: "a", count: bytes))?.side == side)
    }

    @Test func `what is empty or longer than 666 bytes has none`() {
        #expect(QRSymbol.bytesMax == 666)
        #expect(QRSymbol("") == nil)
        #expect(QRSymbol(String(repeating: "a", count: 667)) == nil)
        #expect(QRSymbol(String(repeating: "a", count: 1_000_000)) == nil)
        #expect(QRSymbol(String(repeating: "é", count: 333)) != nil)
        #expect(QRSymbol(String(repeating: "é", count: 334)) == nil)
    }

    @Test func `any text is bytes, and another one is another symbol`() throws {
        let texts = ["a", "b", "a\0", "a\0b", "\0", "日本語", "012345", Self.uri]
        let symbols = try texts.map { try #require(QRSymbol($0), "\($0)") }
        for (one, symbol) in symbols.enumerated() {
            for (other, another) in symbols.enumerated() { #expect((symbol == another) == (one == other)) }
        }
    }

    /// libqrencode makes tables when it is first used, and shares them between all that use it.
    @Test func `of a thousand that are made at once each is what it is alone`() async throws {
        let texts = (1...40).map { String(repeating: "\($0)", count: $0 * 7) }
        let racing = await withTaskGroup(of: [QRSymbol?].self) { group in
            for _ in 0..<25 { group.addTask { texts.map { QRSymbol($0) } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let alone = try texts.map { try #require(QRSymbol($0)) }
        #expect(racing.count == 25)
        for symbols in racing { #expect(symbols == alone) }
    }
}
