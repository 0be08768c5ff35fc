"""The consumer's one database connection: kept between calls, replaced after a failure."""

import pytest
from django.db import DatabaseError, connection

from annotator.live.database import in_database

pytestmark = pytest.mark.django_db(transaction=True)


@in_database
def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0], id(connection.connection)


@in_database
def cut():
    connection.connection.close()


async def test_two_calls_share_a_connection():
    (_, first), (_, second) = await ask("SELECT 1"), await ask("SELECT 2")
    assert first == second


async def test_after_a_lost_connection_the_next_call_but_one_works():
    await ask("SELECT 1")
    await cut()
    with pytest.raises(DatabaseError):
        await ask("SELECT 1")
    assert (await ask("SELECT 3"))[0] == 3
