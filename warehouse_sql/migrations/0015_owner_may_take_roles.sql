-- The owner of the database runs loads as dx_loader and questions as a reader role, so it must be allowed to take
-- them. A superuser is. Another owner with CREATEROLE has made the roles itself and may grant them to itself; where
-- somebody else made them in this cluster, an administrator has to.

do $$
declare
    role_name text;
begin
    foreach role_name in array array['dx_loader', 'dx_engineer', 'dx_analyst', 'dx_bi'] loop
        if not pg_has_role(current_user, role_name, 'SET') then
            begin
                execute format('grant %I to %I with inherit false, set true', role_name, current_user);
            exception
                when insufficient_privilege then
                    raise exception
                        'the owner % may not take role %: have an administrator of the server run '
                        '"grant dx_loader, dx_engineer, dx_analyst, dx_bi to % with inherit false, set true"',
                        current_user,
                        role_name,
                        quote_ident(current_user)
                        using errcode = 'insufficient_privilege';
            end;
        end if;
    end loop;
end;
$$;
