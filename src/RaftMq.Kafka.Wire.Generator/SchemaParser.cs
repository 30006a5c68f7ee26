namespace RaftMq.Kafka.Wire.Generator;

/// <summary>
/// Reads one schema. Comment lines before the header say what the message is for. The header is
/// <c>request|response|data NAME [key N] versions A-B [flexible N]</c>. Each further line is a field, two blanks deeper than the structure it
/// belongs to: <c>NAME TYPE [VERSIONS] [tag N] [= DEFAULT] [# what it means]</c>. A type may start with <c>[]</c> and end with <c>?</c> (may be
/// null) or <c>?VERSIONS</c> (may be null in these). A name that is no primitive is a structure, whose fields follow.
/// </summary>
internal static class SchemaParser
{
    public static readonly HashSet<string> Primitives = new(StringComparer.Ordinal)
    {
        "bool", "int8", "int16", "int32", "int64", "uuid", "string", "bytes", "records", "error", "apikey",
    };

    public static MessageModel Parse(string text)
    {
        string[] lines = text.Replace("\r", string.Empty).Split('\n');
        int at = 0;
        List<string> summary = [];
        for (; at < lines.Length && (lines[at].StartsWith("#", StringComparison.Ordinal) || lines[at].Length == 0); at++)
        {
            summary.Add(lines[at].TrimStart('#').Trim());
        }

        if (at == lines.Length)
        {
            throw new SchemaException(0, "no message in this schema");
        }

        MessageModel message = Header(lines[at], at, string.Join(" ", summary).Trim());
        Stack<(int Depth, List<FieldModel> Fields, VersionRange Versions)> open = new();
        open.Push((1, message.Fields, message.Versions));
        for (at++; at < lines.Length; at++)
        {
            string line = lines[at];
            if (line.Trim().Length == 0)
            {
                continue;
            }

            int indent = line.Length - line.TrimStart(' ').Length;
            if (indent % 2 != 0 || indent == 0)
            {
                throw new SchemaException(at, "a field stands two blanks deeper than what it belongs to");
            }

            while (open.Peek().Depth > indent / 2)
            {
                open.Pop();
            }

            if (open.Peek().Depth != indent / 2)
            {
                throw new SchemaException(at, "this field belongs to nothing");
            }

            FieldModel field = Field(line.Trim(), at, open.Peek().Versions);
            open.Peek().Fields.Add(field);
            if (!Primitives.Contains(field.Type))
            {
                open.Push(((indent / 2) + 1, field.Fields, field.Versions));
            }
        }

        Check(message.Fields, lines.Length - 1);
        return message;
    }

    private static MessageModel Header(string line, int at, string summary)
    {
        string[] words = line.Split([' '], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 4 || words[0] is not ("request" or "response" or "data"))
        {
            throw new SchemaException(at, "expected: request|response|data NAME [key N] versions A-B [flexible N]");
        }

        int? key = null;
        int? flexible = null;
        VersionRange? versions = null;
        for (int i = 2; i + 1 < words.Length; i += 2)
        {
            switch (words[i])
            {
                case "key":
                    key = Number(words[i + 1], at);
                    break;
                case "flexible":
                    flexible = Number(words[i + 1], at);
                    break;
                case "versions" when VersionRange.TryParse(words[i + 1], new VersionRange(0, 99), out VersionRange range):
                    versions = range;
                    break;
                default:
                    throw new SchemaException(at, $"'{words[i]} {words[i + 1]}' is not understood");
            }
        }

        if (versions is null || (words[0] != "data" && key is null))
        {
            throw new SchemaException(at, "a message has versions, and a request or response has a key");
        }

        return new MessageModel(words[0], words[1], key, versions.Value, flexible, summary);
    }

    private static FieldModel Field(string line, int at, VersionRange outer)
    {
        int noteAt = line.IndexOf(" #", StringComparison.Ordinal);
        string? note = noteAt < 0 ? null : line.Substring(noteAt + 2).Trim();
        string[] words = (noteAt < 0 ? line : line.Substring(0, noteAt)).Split([' '], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2)
        {
            throw new SchemaException(at, "a field has a name and a type");
        }

        int next = 2;
        VersionRange versions = outer;
        if (words.Length > 2 && char.IsDigit(words[2][0]))
        {
            if (!VersionRange.TryParse(words[2], outer, out versions))
            {
                throw new SchemaException(at, $"versions {words[2]} are not within those of what the field belongs to");
            }

            next = 3;
        }

        string type = words[1];
        int mark = type.IndexOf('?');
        VersionRange? nullable = null;
        if (mark >= 0)
        {
            VersionRange range = versions;
            if (mark < type.Length - 1 && !VersionRange.TryParse(type.Substring(mark + 1), versions, out range))
            {
                throw new SchemaException(at, $"null versions in {type} are not within those of the field");
            }

            nullable = range;
            type = type.Substring(0, mark);
        }

        bool isArray = type.StartsWith("[]", StringComparison.Ordinal);
        FieldModel field = new(words[0], isArray ? type.Substring(2) : type, isArray, versions)
        {
            NullableVersions = nullable,
            Note = note,
        };
        for (; next < words.Length; next += 2)
        {
            string value = next + 1 < words.Length ? words[next + 1] : throw new SchemaException(at, $"'{words[next]}' of what?");
            switch (words[next])
            {
                case "tag":
                    field.Tag = Number(value, at);
                    break;
                case "=":
                    field.Default = value;
                    break;
                default:
                    throw new SchemaException(at, $"'{words[next]}' is not understood");
            }
        }

        return field;
    }

    private static void Check(List<FieldModel> fields, int lastLine)
    {
        foreach (FieldModel field in fields)
        {
            if (!Primitives.Contains(field.Type) && !field.IsStructure)
            {
                throw new SchemaException(lastLine, $"'{field.Type}' of {field.Name} is no primitive, and no fields follow it");
            }

            // A structure alone has no null on the wire in the versions served; as a tagged field its absence is its null.
            if (field.IsStructure && !field.IsArray && field.Tag is null)
            {
                throw new SchemaException(lastLine, $"{field.Name}: a structure that is not an array must be tagged");
            }

            Check(field.Fields, lastLine);
        }

        if (fields.Select(f => f.Name).Distinct(StringComparer.Ordinal).Count() != fields.Count)
        {
            throw new SchemaException(lastLine, "two fields of one structure have one name");
        }
    }

    private static int Number(string text, int at) =>
        int.TryParse(text, out int number) ? number : throw new SchemaException(at, $"'{text}' is not a number");
}
