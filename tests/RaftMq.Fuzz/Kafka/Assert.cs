namespace RaftMq.Kafka.Tests.Fakes;

/// <summary>What the borrowed fakes of RaftMq.Kafka.Tests ask of a test library.</summary>
internal static class Assert
{
    public static void True(bool condition)
    {
        if (!condition)
        {
            throw new InvalidOperationException("The fake broker was told what a broker may not be told.");
        }
    }

    public static void DoesNotContain<T>(IEnumerable<T> items, Predicate<T> match) => True(!items.Any(item => match(item)));
}
