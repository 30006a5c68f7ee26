namespace RaftMq.Server.Configuration;

/// <summary>Where clients of a listener are told to connect: <c>name@host:port</c>.</summary>
internal sealed record AdvertisedSetting(string Name, HostPort Address)
{
    /// <exception cref="FormatException">Says what is wrong, as the end of a sentence.</exception>
    public static AdvertisedSetting Parse(string text)
    {
        int at = text.IndexOf('@');
        if (at < 1)
        {
            throw new FormatException($"'{text}' is not name@host:port, with the name of a listener");
        }

        return new AdvertisedSetting(text[..at], HostPort.Parse(text[(at + 1)..]));
    }

    public override string ToString() => $"{Name}@{Address}";
}
