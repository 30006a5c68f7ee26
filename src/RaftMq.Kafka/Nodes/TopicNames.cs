namespace RaftMq.Kafka.Nodes;

/// <summary>Kafka's rule for topic names.</summary>
internal static class TopicNames
{
    public const int CharsMax = 249;

    public const string Rule = "a topic name has 1 to 249 of the characters a-z A-Z 0-9 . _ - and is neither . nor ..";

    public static bool IsValid(string name)
    {
        if (name.Length is 0 or > CharsMax || name is "." or "..")
        {
            return false;
        }

        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
            {
                return false;
            }
        }

        return true;
    }
}
