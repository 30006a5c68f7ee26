namespace RaftMq.Server.Configuration;

internal enum ListenerScheme
{
    /// <summary>Kafka without encryption.</summary>
    Kafka,

    /// <summary>Kafka over TLS.</summary>
    Kafkas,
}

/// <summary>A listener for clients: <c>scheme://host:port</c>, with <c>name@</c> before it where there are several.</summary>
/// <param name="Name">Metadata answers with what is advertised under the name of the listener a client came through.</param>
internal sealed record ListenerSetting(string Name, ListenerScheme Scheme, HostPort Bind)
{
    /// <exception cref="FormatException">Says what is wrong, as the end of a sentence.</exception>
    public static ListenerSetting Parse(string text)
    {
        int separator = text.IndexOf("://", StringComparison.Ordinal);
        if (separator < 1)
        {
            throw new FormatException($"'{text}' is not scheme://host:port");
        }

        string scheme = text[..separator];
        string? name = null;
        int at = scheme.IndexOf('@');
        if (at >= 0)
        {
            name = scheme[..at];
            scheme = scheme[(at + 1)..];
        }

        ListenerScheme known = scheme switch
        {
            "kafka" => ListenerScheme.Kafka,
            "kafkas" => ListenerScheme.Kafkas,
            _ => throw new FormatException($"'{text}' has the scheme '{scheme}'; there are kafka and kafkas (TLS)"),
        };
        if (name is not null && (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
        {
            throw new FormatException($"'{text}' has a name that is not made of letters, digits, '-' and '_'");
        }

        return new ListenerSetting(name ?? scheme, known, HostPort.Parse(text[(separator + 3)..]));
    }

    public override string ToString()
    {
        string scheme = Scheme == ListenerScheme.Kafka ? "kafka" : "kafkas";
        return Name == scheme ? $"{scheme}://{Bind}" : $"{Name}@{scheme}://{Bind}";
    }
}
